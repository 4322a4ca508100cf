"""The application's transport, the same interface in every mode; it counts what it carries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProducer,
    IProtocol,
    IPushProducer,
    ITransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CloseReason
from tlsdemo.state_machine import StateMachine
from tlsdemo.tls.listener import Listener
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.pull import PullSource
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer
from tlsdemo.tls.transport_options import Delivery, TransportOptions

_log = Logger()


def _untimed() -> PhaseTimer:
    return PhaseTimer(None, NO_TIMEOUTS)


@dataclass(frozen=True)
class StreamSetup:
    """What a stream is made of, whatever secures it.

    ``required_alpn``: a protocol without which the connection is not secure (RFC 7301).
    ``upgraded``: whether plaintext was exchanged before.
    """

    listener: Listener
    options: TransportOptions
    timer: PhaseTimer = field(default_factory=_untimed)
    observer: Observer | None = None
    required_alpn: str = ""
    upgraded: bool = False


@implementer(ITransport, IConsumer, IPushProducer)
class Stream(StateMachine, ABC):
    """What an application's protocol sees as its transport.

    ``events``: how often the application was handed bytes; ``bytes_in`` and ``bytes_out``: how
    many, in the clear; ``records``: TLS records of application data that came in, 0 when plain.
    Producers are registered here as with any transport, and pausing it holds everything back,
    also what has been decrypted already.
    """

    def __init__(self, setup: StreamSetup) -> None:
        self._listener = setup.listener
        self._observer = setup.observer
        self._timer = setup.timer
        self._timer.target = self
        self.events = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self._close_reason: CloseReason | None = None
        self._application: IProtocol | None = None
        self._deliver: Callable[[bytes], object] | None = None
        self._pull_source = (
            PullSource(self, setup.options.high_water)
            if setup.options.delivery is Delivery.READABLE
            else None
        )

    @property
    def transferred(self) -> int:
        """Bytes of cleartext in both directions so far."""
        return self.bytes_in + self.bytes_out

    @property
    @abstractmethod
    def disconnecting(self) -> bool:
        """Whether this is being closed, or is closed."""

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

    def _event(self, name: str, **facts: object) -> None:
        if self._observer is not None:
            self._observer.event(name, **facts)

    def _ask(self, listener: Callable[[], IProtocol | None]) -> IProtocol | None:
        """Ask for the application; none, if the listener fails or the application does not fit."""
        self._timer.enter(ConnectionPhase.OPEN)
        try:
            application = listener()
            if application is not None and self._pull_source is not None:
                self._pull_source.attach(application)
        except Exception:
            _log.failure("rejecting a connection, because its secure callback failed")
            return None
        return application

    def _connect(self, application: IProtocol) -> None:
        """Connect the application; from here on bytes are delivered to it."""
        self._application = application
        if self._pull_source is None:
            self._deliver = application.dataReceived
        else:
            self._deliver = self._pull_source.feed
        if self._observer is not None and self._observer.detailed:
            self._deliver = self._first(self._observer, "first bytes in", "_deliver", self._deliver)
        application.makeConnection(self)

    def _first(
        self, observer: Observer, event: str, attribute: str, function: Callable[[bytes], object]
    ) -> Callable[[bytes], object]:
        """Return what reports its first call, and then leaves ``function`` in its place."""

        def first(data: bytes) -> None:
            setattr(self, attribute, function)
            observer.detail(event)
            function(data)

        return first

    def _wait_for_reader(self) -> None:
        """After the end of the wire, limit only how long a pulling application may be idle."""
        if self._timer.phase is ConnectionPhase.CLOSING:
            self._timer.enter(ConnectionPhase.OPEN)

    def _fail(self, close_reason: CloseReason) -> None:
        """Report the end of a connection that never had an application."""
        self._event("insecure", reason=close_reason)
        self._detach().insecure(close_reason)

    def _finish(self, application: IProtocol, close_reason: CloseReason, reason: Failure) -> None:
        """Report the end, to the listener and to the application."""
        if self._close_reason is not None:
            close_reason = self._close_reason
            if reason.check(ConnectionDone):
                # The wire was closed in order, but not all that it brought was delivered.
                reason = Failure(ConnectionAborted())
        self._event("closed", reason=close_reason)
        self._detach().ended(close_reason)
        application.connectionLost(reason)

    def _detach(self) -> Listener:
        """Return the listener for its last call, and refer to nothing that refers to this.

        So the parts of a connection that has ended are freed at once, and do not wait for the
        garbage collector.
        """
        listener = self._listener
        del self._listener
        self._timer.enter(ConnectionPhase.OVER)
        self._pull_source = self._deliver = self._observer = None
        return listener
