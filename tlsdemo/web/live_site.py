"""The pages that belong to a live feed: the page itself, its events, and its files."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource

from tlsdemo.web.event_stream import EventStreams
from tlsdemo.web.live_feed import LiveFeed
from tlsdemo.web.live_page import LivePage
from tlsdemo.web.static_files import static_files


def live_pages(feed: LiveFeed, clock: IReactorTime) -> dict[str, Resource]:
    """Return the pages of ``feed`` by their names; the first page has an empty one."""
    return {"": LivePage(feed), "events": EventStreams(feed, clock), **static_files()}
