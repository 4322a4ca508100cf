"""The protocol on the socket: plain until it is secured, then a mode's."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHandshakeListener, IProtocol, IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.secure.cleartext import Cleartext
from tlsdemo.secure.modes import TLS, Mode
from tlsdemo.secure.stream import Listener, Manner, Stream
from tlsdemo.timeline import Timeline


@implementer(IHandshakeListener)
class Session(Protocol):
    """Accepts (or opens) a plain connection and has ``mode`` secure it.

    It provides ``IHandshakeListener`` and stays the transport's protocol, as ``startTLS`` wants
    it; everything else it hands on to what the mode put on the wire.
    """

    stream: Stream | None = None

    def __init__(
        self,
        mode: Mode,
        tls: TLS,
        listener: Listener,
        manner: Manner,
        timeline: Timeline,
        clock: IReactorTime,
    ) -> None:
        self._mode = mode
        self._tls = tls
        self._listener = listener
        self._manner = manner
        self._timeline = timeline
        self._clock = clock
        self._wire: IProtocol

    def connectionMade(self) -> None:
        """Secure the connection at once: dialect ``immediate`` needs no words."""
        self._timeline.record("connected")
        self._timeline.record(self._mode.called)
        self._wire, self.stream = self._mode.secure(
            self.transport, self._tls, self._listener, self._manner, self._clock
        )

    def dataReceived(self, data: bytes) -> None:
        """Hand on what the transport brings: of the wire or, under ``startTLS``, in the clear."""
        self._wire.dataReceived(data)

    def handshakeCompleted(self) -> None:
        """Hand on Twisted's word to the stream that asks for it."""
        stream: Any = self.stream
        assert isinstance(stream, Cleartext)
        stream.handshakeCompleted()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on the end."""
        self._wire.connectionLost(reason)
