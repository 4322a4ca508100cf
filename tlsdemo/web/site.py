"""The site: every request passes the door, and no client can take more than its share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from twisted.protocols.policies import WrappingFactory
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from tlsdemo.web.answers import Answer, NotFound
from tlsdemo.web.door import HEADERS, Door, Refused

MAX_CONNECTIONS = 64
"""Open connections of browsers and others; further ones are closed at once."""

IDLE_TIMEOUT = 60
"""Seconds for a request to arrive, and between two of them."""


class Front(Resource):
    """Lets those requests pass to ``root`` that ``door`` does."""

    def __init__(self, root: Resource, door: Door) -> None:
        super().__init__()
        self._root = root
        self._door = door

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        """Return the resource, or the refusal."""
        for name, value in HEADERS.items():
            request.setHeader(name, value)
        try:
            self._door.check(request)
        except Refused as refused:
            return Answer(f"{refused}\n", refused.status)
        return self._root.getChildWithDefault(path, request)


class Root(Resource):
    """The root of ``pages``, where what does not exist is not found."""

    def __init__(self, pages: Mapping[str, Resource]) -> None:
        super().__init__()
        for name, page in pages.items():
            self.putChild(name.encode(), page)

    def getChild(self, path: bytes, request: Any) -> Resource:
        """Say that there is no such page."""
        return NotFound()


class _Request(Request):
    def handleContentChunk(self, data: bytes) -> None:
        """Drop the body of a request: no page here takes one."""


class _QuietSite(Site):
    noisy = False
    displayTracebacks = False

    def log(self, request: Any) -> None:
        """Log no requests: pages ask all the time."""


class WebSite(WrappingFactory):
    """The factory of a site whose pages are the children of ``root``."""

    noisy = False

    def __init__(self, root: Resource, door: Door) -> None:
        front = cast(IResource, Front(root, door))
        super().__init__(_QuietSite(front, requestFactory=_Request, timeout=IDLE_TIMEOUT))

    def logPrefix(self) -> str:
        """Return the name that Twisted logs when a port is opened or closed."""
        return "the web pages"

    def buildProtocol(self, addr: Any) -> Any:
        """Make the protocol for a connection, or none if there are too many."""
        return super().buildProtocol(addr) if len(self.protocols) < MAX_CONNECTIONS else None

    def close(self) -> None:
        """Close all connections at once."""
        for protocol in list(self.protocols):
            protocol.transport.abortConnection()
