"""Applications that go on when their peer has finished."""

from __future__ import annotations

from twisted.internet.interfaces import IHalfCloseableProtocol
from zope.interface import implementer

from tests.support import Recorder
from tlsdemo.tls import ModeName
from tlsdemo.tls.pull import PullSource

TLS_MODES = (ModeName.STARTTLS, ModeName.PAIR, ModeName.WRAPPED)
ENDED = ["ended: clean", "lost: ConnectionDone"]


@implementer(IHalfCloseableProtocol)
class HalfCloseable(Recorder):
    """Answers when its peer has finished, and closes unless it has more to say."""

    keeps_open = False

    def readConnectionLost(self) -> None:
        self.log.append("peer finished")
        self.answer(b"answer")
        if not self.keeps_open:
            self.close()

    def answer(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def close(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.log.append("finished")


class PullingHalfCloseable(HalfCloseable):
    """One that reads when it is told to."""

    source: PullSource | None = None

    def readable(self, source: PullSource) -> None:
        self.source = source

    def read(self) -> None:
        assert self.source is not None
        while data := self.source.read():
            self.log.append(data)
