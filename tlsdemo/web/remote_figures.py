"""The figures of a server in another process, asked for over its UNIX socket."""

from __future__ import annotations

import json
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.web.client import Agent, HTTPConnectionPool, readBody
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

from tlsdemo.metrics.reading import Reading
from tlsdemo.web.live_series import LiveSeries

ANSWER_WITHIN = 5.0
"""Seconds for an answer; without one, the next question is asked."""


@implementer(IAgentEndpointFactory)
class _Socket:
    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._path = path

    def endpointForURI(self, uri: object) -> UNIXClientEndpoint:  # noqa: N802
        return UNIXClientEndpoint(self._reactor, self._path)


class RemoteFigures:
    """Adds the figures of the server whose pages are at the UNIX socket ``path`` to ``series``."""

    def __init__(self, reactor: Any, path: str, series: LiveSeries) -> None:
        self._reactor = reactor
        self._pool = HTTPConnectionPool(reactor)
        self._agent = Agent.usingEndpointFactory(
            reactor, cast(Any, _Socket(reactor, path)), self._pool
        )
        self._series = series
        self._asking: Deferred[None] | None = None
        self.problem: str | None = None

    def ask(self) -> None:
        """Ask for the figures, unless the last answer is still awaited."""
        if self._asking is None:
            self._asking = Deferred.fromCoroutine(self._ask())
            self._asking.addTimeout(ANSWER_WITHIN, self._reactor)
            self._asking.addBoth(self._answered)

    async def _ask(self) -> None:
        response = await cast(Any, self._agent).request(b"GET", b"http://localhost/figures.json")
        self._series.add(Reading.from_json(json.loads(await readBody(response))))

    def _answered(self, outcome: Any) -> None:
        self._asking = None
        self.problem = None if outcome is None else outcome.getErrorMessage()

    async def close(self) -> None:
        """Ask for the last time, and close the connection."""
        if self._asking is not None:
            await self._asking
        self.ask()
        if self._asking is not None:
            await self._asking
        await self._pool.closeCachedConnections()
