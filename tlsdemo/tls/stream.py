"""The application's transport: one interface for every mode, with counters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial

from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IProducer,
    IProtocol,
    IPushProducer,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.state_machine import StateMachine, Symbol
from tlsdemo.tls.half_close import half_closeable
from tlsdemo.tls.listener import Listener
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.pull import PullSource
from tlsdemo.tls.record_writer import RecordWriter
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer
from tlsdemo.tls.transport_options import Delivery, TransportOptions

_log = PrintableLogger()


class StreamState(Symbol):
    """The states of a stream."""

    CONNECTING = "connecting"
    OPEN = "open"
    HALF_CLOSED = "half-closed: the peer has finished, and the application has not"
    FINISHED = "half-closed: the application has finished, and the peer has not"
    CLOSING = "closing"
    ABORTED = "aborted"
    CLOSED = "closed"


class StreamInput(Symbol):
    """What happens to a stream."""

    ACCEPTED = "accepted"
    PEER_FINISHED = "the peer has finished"
    FINISH = "loseWriteConnection"
    CLOSE = "loseConnection"
    ABORT = "abort"
    LOST = "connection lost"


_USABLE = (
    StreamState.CONNECTING,
    StreamState.OPEN,
    StreamState.HALF_CLOSED,
    StreamState.FINISHED,
)
_FINISHING = (StreamState.FINISHED, StreamState.CLOSING)


def _untimed() -> PhaseTimer:
    return PhaseTimer(None, NO_TIMEOUTS)


@dataclass(frozen=True)
class StreamSetup:
    """The arguments that every stream is made from, in whatever mode.

    Attributes:
        listener: Provides the application, and learns how the connection ended.
        options: How cleartext is delivered and sent.
        timer: Limits the phases of the connection; no limits by default.
        observer: Sees every step.
        required_alpn: A protocol that must be negotiated by ALPN (RFC 7301); ``""`` for none.
        upgraded: Whether plaintext was exchanged before.
    """

    listener: Listener
    options: TransportOptions
    timer: PhaseTimer = field(default_factory=_untimed)
    observer: Observer | None = None
    required_alpn: str = ""
    upgraded: bool = False


@implementer(ITransport, IConsumer, IPushProducer)
class Stream(StateMachine, ABC):
    """The transport of an application's protocol.

    Producers and consumers work as with any Twisted transport; a paused stream delivers nothing,
    not even data that has been decrypted already.  An application that provides
    ``IHalfCloseableProtocol`` can go on sending when its peer has finished: its
    ``readConnectionLost`` is called, and it ends the connection with ``loseConnection``.  Until
    then it must be referred to: nothing reads a wire whose peer has finished.

    Attributes:
        events: How often data has been delivered to the application.
        bytes_in: Bytes of cleartext that have been delivered to the application.
        bytes_out: Bytes of cleartext that the application has written.
        by_reads: Whether the application gets what one read of the wire brings in one piece, and
            not each record by itself.
    """

    by_reads = True

    def __init__(self, setup: StreamSetup) -> None:
        self._listener = setup.listener
        self._observer = setup.observer
        self._timer = setup.timer
        self._timer.target = self
        self.events = 0
        self.bytes_in = 0
        self.bytes_out = 0
        self._state = StreamState.CONNECTING
        self._close_reason: CloseReason | None = None
        # Closing and finishing wait until it has written everything.
        self._has_producer = False
        self._send: Callable[[bytes], object] | None = None
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
    def disconnecting(self) -> bool:
        """Whether this is being closed, or is closed."""
        return self._state not in _USABLE

    @property
    def records(self) -> int:
        """TLS records of application data that have been decrypted so far; 0 without TLS."""
        return 0

    # What depends on the kind of stream.

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send ``data``; it is dropped once the stream is closed."""

    def record_writer(self) -> RecordWriter | None:
        """Return what writes many records at once, if each write becomes a record."""
        return None

    @abstractmethod
    def write_promptly(self) -> None:
        """Have each write sent at once, if possible, and not when the reactor comes round to it.

        For an application that writes rarely, or much: each write costs a call of send(2).
        """

    @abstractmethod
    def loseConnection(self) -> None:
        """Close in order, after everything that was written has been sent."""

    @abstractmethod
    def pauseProducing(self) -> None:
        """Deliver nothing more, and stop reading the wire."""

    @abstractmethod
    def resumeProducing(self) -> None:
        """Deliver what was held back, then resume reading the wire."""

    @abstractmethod
    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Pause ``producer`` whenever the wire cannot take more."""

    @abstractmethod
    def unregisterProducer(self) -> None:
        """Stop pausing and resuming the producer."""

    @abstractmethod
    def getPeer(self) -> IAddress:
        """Return the peer's address."""

    @abstractmethod
    def getHost(self) -> IAddress:
        """Return our own address."""

    # What all streams share.

    def rest(self) -> None:
        """Do nothing: nothing has been transferred for a while, and there is nothing to free."""

    def logPrefix(self) -> str:
        """Return the name that Twisted's log uses."""
        return type(self).__name__

    def abortConnection(self) -> None:
        """Close at once: nothing more is delivered or sent, and the peer sees a truncation."""
        self.abort(CloseReason(Cause.ABORTED))

    def abort(self, close_reason: CloseReason) -> None:
        """Close at once, as :meth:`abortConnection` does, and report ``close_reason``."""
        self._input(StreamInput.ABORT, close_reason)

    def loseWriteConnection(self) -> None:
        """Send everything that was written, then say that no more will follow.

        Data is still received.  A registered producer may write until it is unregistered.  An
        application that provides ``IHalfCloseableProtocol`` is told: ``writeConnectionLost``.  If
        the peer has finished before, this closes.
        """
        self._input(StreamInput.FINISH)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces as one write."""
        self.write(b"".join(data))

    def stopProducing(self) -> None:
        """Close in order: the consumer wants no more data."""
        self.loseConnection()

    def take(self, data: bytes) -> None:
        """Count ``data`` as one event: the application has just received it."""
        self.events += 1
        self.bytes_in += len(data)

    def _event(self, name: str, **facts: object) -> None:
        if self._observer is not None:
            self._observer.event(name, **facts)

    def _get_application(self, get: Callable[[], IProtocol | None]) -> IProtocol | None:
        """Return the listener's application, or ``None`` if that fails or does not fit."""
        self._timer.enter(ConnectionPhase.OPEN)
        try:
            application = get()
            if application is not None and self._pull_source is not None:
                self._pull_source.attach(application)
        except Exception:
            _log.failure("rejecting a connection because its secure callback failed")
            return None
        return application

    def _connect(self, application: IProtocol) -> None:
        """Connect the application; from now on data is delivered to it."""
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
        """Return a function that reports its first call, then puts ``function`` in its place."""

        def first(data: bytes) -> None:
            setattr(self, attribute, function)
            observer.detail(event)
            function(data)

        return first

    def _half_close(self) -> None:
        """Tell an application that can send after its peer has finished that the peer has."""
        application = half_closeable(self._application)
        assert application is not None
        if self._pull_source is None:
            application.readConnectionLost()
        else:
            self._pull_source.when_read(application.readConnectionLost)

    def _stop_sending(self) -> None:
        """Accept no more data; but a registered producer may write the rest."""
        if not self._has_producer:
            self._send = None

    def _producer_done(self) -> bool:
        """Note that there is no producer any more; return whether closing waited for it."""
        waited = self._has_producer and self._state in _FINISHING
        self._has_producer = False
        if waited:
            self._send = None
        return waited

    def _report_finished(self) -> None:
        """Tell an application that wants to know it that all it wrote has been sent."""
        application = half_closeable(self._application)
        if application is not None:
            application.writeConnectionLost()

    def _drop_unread(self, close_reason: CloseReason) -> None:
        """Discard what the application has not read; an earlier reason stays."""
        self._close_reason = self._close_reason or close_reason
        if self._pull_source is not None:
            self._pull_source.drop()

    def _release(self) -> None:
        """Drop the references that form cycles, when nothing more will be received or sent."""
        self._deliver = self._send = None

    def _report_failure(self, close_reason: CloseReason, _reason: Failure) -> None:
        """Report the end of a connection that has no application."""
        self._release()
        close_reason = self._close_reason or close_reason
        self._event("insecure", reason=close_reason)
        self._detach().insecure(close_reason)

    def _report_end(self, close_reason: CloseReason, reason: Failure) -> None:
        """Report the end, once the application has read everything that came before it."""
        application, self._application = self._application, None
        if application is None:
            self._report_failure(close_reason, reason)
            return
        self._release()
        finish = partial(self._finish, application, close_reason, reason)
        if self._pull_source is None:
            finish()
            return
        if self._timer.phase is ConnectionPhase.CLOSING:
            # There is no peer to wait for any more, only an application that reads.
            self._timer.enter(ConnectionPhase.OPEN)
        self._pull_source.end(finish)

    def _finish(self, application: IProtocol, close_reason: CloseReason, reason: Failure) -> None:
        """Report the end to the listener and to the application."""
        if self._close_reason is not None:
            close_reason = self._close_reason
            if reason.check(ConnectionDone):
                # The wire was closed in order, but not everything received was delivered.
                reason = Failure(ConnectionAborted())
        self._event("closed", reason=close_reason)
        self._detach().ended(close_reason)
        application.connectionLost(reason)

    def _detach(self) -> Listener:
        """Return the listener for its last call, and drop every reference that forms a cycle.

        So a connection that has ended is freed at once, without the garbage collector.
        """
        listener = self._listener
        del self._listener
        self._timer.enter(ConnectionPhase.OVER)
        self._pull_source = self._deliver = self._observer = None
        return listener
