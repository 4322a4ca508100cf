"""What a role is: a plain protocol, which never knows how its bytes are secured."""

from __future__ import annotations

from typing import Protocol as Interface

from twisted.internet.protocol import Protocol

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls import PullSource, Stream
from tlsdemo.trace.timeline import Fact


class Owner(Interface):
    """Who is told what a role does with its connection."""

    def happened(self, event: str, **facts: Fact) -> None:
        """Something worth a place in the connection's timeline."""

    def backend_joined(self, host: str) -> None:
        """There is a backend now, reached from our address ``host``."""

    def drained(self, close_reason: CloseReason) -> None:
        """The handler is done; unless ``close_reason`` says, all has gone where it should."""


class Handler(Protocol):
    """Takes the cleartext of one connection; ``transport`` is its :class:`Stream`.

    A role that has no room sets ``full``, and calls :meth:`take_more` when it has again; that
    serves delivery ``readable``, and does nothing with the others.
    """

    transport: Stream | None

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        self.full = False
        self._source: PullSource | None = None

    def readable(self, source: PullSource) -> None:
        """Take what there is, as long as there is room."""
        self._source = source
        self.take_more()

    def take_more(self) -> None:
        """Go on taking, if delivery is on demand."""
        while self._source is not None and not self.full:
            data = self._source.read()
            if not data:
                return
            self.dataReceived(data)

    def abort(self) -> None:
        """Give up what is still to be done after the client has gone; most have nothing."""
