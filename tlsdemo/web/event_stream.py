"""Server-sent events (HTML Living Standard, section 9.2) of the live feed."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.web import http
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from tlsdemo.web.live_feed import LiveFeed

MOST_STREAMS = 32
"""Pages that may be open; there have to be connections left for others."""

PATIENCE = 5.0
"""Seconds for which a page may not read before it is dropped."""

RETRY = 2000
"""Milliseconds after which a page that was dropped connects again."""

_EVENTS = "text/event-stream; charset=utf-8"


@implementer(IPushProducer)
class EventStream:
    """The stream to one page: it sends events as long as the page reads them.

    While it does not read, events are left out; after `PATIENCE` seconds it is dropped.
    """

    def __init__(self, request: Any, clock: IReactorTime) -> None:
        self._request = request
        self._clock = clock
        self._paused_at: float | None = None
        request.registerProducer(self, True)
        request.write(f"retry: {RETRY}\n\n".encode())

    def send(self, name: str, data: str) -> None:
        """Send an event, unless the page has fallen behind; ``data`` is one line."""
        if self._paused_at is None:
            self._request.write(f"event: {name}\ndata: {data}\n\n".encode())
        elif self._clock.seconds() - self._paused_at > PATIENCE:
            # Not loseConnection, which waits until the page has read what is buffered.
            self._request.channel.forceAbortClient()

    def pauseProducing(self) -> None:
        """The page does not read."""
        self._paused_at = self._clock.seconds()

    def resumeProducing(self) -> None:
        """The page has read all."""
        self._paused_at = None

    def stopProducing(self) -> None:
        """The page is gone."""
        self._paused_at = self._clock.seconds()


class EventStreams(Resource):
    """Answers each request with a stream of the events of ``feed``."""

    isLeaf = True

    def __init__(self, feed: LiveFeed, clock: IReactorTime) -> None:
        super().__init__()
        self._feed = feed
        self._clock = clock

    def render_HEAD(self, request: Any) -> Any:
        """Tell what a stream would be, and begin none."""
        request.setHeader("Content-Type", _EVENTS)
        return b""

    def render_GET(self, request: Any) -> Any:
        """Begin a stream."""
        if self._feed.readers >= MOST_STREAMS:
            request.setResponseCode(http.SERVICE_UNAVAILABLE)
            request.setHeader("Content-Type", "text/plain; charset=utf-8")
            return b"too many pages are open\n"
        request.setHeader("Content-Type", _EVENTS)
        stream = EventStream(request, self._clock)

        def ended(_: object) -> None:
            self._feed.unsubscribe(stream)

        request.notifyFinish().addBoth(ended)
        self._feed.subscribe(stream)
        return NOT_DONE_YET
