"""The application's end of a connection, alike in every mode: a transport that counts."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol as Interface

from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProducer,
    IProtocol,
    IPushProducer,
    ITransport,
)
from twisted.logger import Logger
from zope.interface import implementer

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.pull import PullSource

_log = Logger()


class Delivery(enum.Enum):
    """How cleartext reaches the application: an event a record, a read, or on demand."""

    RECORD = "record"
    COALESCED = "coalesced"
    READABLE = "readable"


class Send(enum.Enum):
    """Whether each write becomes a record of its own, or small writes are joined first."""

    RAW = "raw"
    BUFFERED = "buffered"


@dataclass(frozen=True)
class TransportOptions:
    """How a stream treats its bytes, whatever secures it.

    ``high_water``: bytes that ``Delivery.READABLE`` keeps before it pauses the wire.
    """

    delivery: Delivery = Delivery.RECORD
    send: Send = Send.RAW
    high_water: int = 1 << 16


class Listener(Interface):
    """Who is told how the securing of one connection goes.

    ``secure`` or ``plain`` is called at most once, and never after ``insecure``.  Both return the
    application, which is then connected to the stream; ``None`` rejects the connection, of which
    not one byte will have been delivered.
    """

    def handshake_completed(self) -> None:
        """OpenSSL's handshake is complete (Twisted's ``handshakeCompleted``)."""

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """The peer is verified and our last flight is with the transport."""

    def plain(self) -> IProtocol | None:
        """The connection is used as it is: mode ``clear``."""

    def insecure(self, close_reason: CloseReason) -> None:
        """The connection could not be secured, or was rejected; nothing more will come."""

    def ended(self, close_reason: CloseReason) -> None:
        """A connection that had been secured (or is plain) has come to its end."""


def _nothing() -> None:
    pass


@implementer(ITransport, IConsumer, IPushProducer)
class Stream(ABC):
    """What an application's protocol sees as its transport.

    ``events``: how often the application was handed bytes; ``bytes_in`` and ``bytes_out``: how
    many, in the clear; ``records``: TLS records of application data that came in, 0 when plain.
    ``closing`` is called when the end of an orderly close begins to be waited for.
    Producers are registered here as with any transport, and pausing it holds everything back,
    also what has been decrypted already.
    """

    disconnecting = False

    def __init__(self, listener: Listener, transport_options: TransportOptions) -> None:
        self._listener = listener
        self.events = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self.closing: Callable[[], object] = _nothing
        self._application: IProtocol | None = None
        self._pull_source = (
            PullSource(self, transport_options.high_water)
            if transport_options.delivery is Delivery.READABLE
            else None
        )

    @property
    def records(self) -> int:
        """Records of application data that have been decrypted so far."""
        return 0

    # Below: what each kind of stream does in its own way.

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send ``data``; after the stream has been closed it is dropped."""

    @abstractmethod
    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, and have the end carry ``close_reason`` as its cause."""

    @abstractmethod
    def loseConnection(self) -> None:
        """Close in order, once everything that was written has been sent."""

    @abstractmethod
    def abortConnection(self) -> None:
        """Close at once; nothing more is delivered or sent, and the peer sees it as cut off."""

    @abstractmethod
    def pauseProducing(self) -> None:
        """Deliver nothing more, and stop reading the wire."""

    @abstractmethod
    def resumeProducing(self) -> None:
        """Deliver what was held back, then read the wire again."""

    @abstractmethod
    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Have ``producer`` paused whenever more is written than the wire takes."""

    @abstractmethod
    def unregisterProducer(self) -> None:
        """Forget the producer."""

    @abstractmethod
    def getPeer(self) -> IAddress:
        """Return the address of the peer."""

    @abstractmethod
    def getHost(self) -> IAddress:
        """Return our own address."""

    # Below: what all streams share.

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces as one."""
        self.write(b"".join(data))

    def stopProducing(self) -> None:
        """Close in order: a consumer wants no more of us."""
        self.loseConnection()

    def take(self, data: bytes) -> None:
        """Count one event of ``data``, which the application has just been handed."""
        self.events += 1
        self.bytes_in += len(data)

    def _ask(self, listener: Callable[[], IProtocol | None]) -> IProtocol | None:
        """Ask for the application; none, if the listener fails or the application is unfit."""
        try:
            application = listener()
            if application is not None and self._pull_source is not None:
                self._pull_source.attach(application)
        except Exception:
            _log.failure("rejecting a connection, because its secure callback failed")
            return None
        return application

    def _detach(self) -> Listener:
        """Return the listener for its last word, and hold on to nobody who holds on to this.

        So the parts of a connection that is over are gone at once, and do not wait for the
        collector.
        """
        listener = self._listener
        del self._listener
        self.closing = _nothing
        self._pull_source = None
        return listener

    def _connect(self, application: IProtocol) -> None:
        """Connect the application; from here on it is delivered to."""
        self._application = application
        application.makeConnection(self)
