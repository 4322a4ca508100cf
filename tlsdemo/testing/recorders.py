"""Protocols, producers and listeners that keep a log of what happens to them."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls import ConnectionInfo, PullSource


class Recorder(Protocol):
    """A protocol that logs ``"connected"``, each piece of data, and ``"lost: ..."``.

    Attributes:
        log: What has happened, in order.  Several recorders may share one.
        on_connected: Called after ``connectionMade`` has been logged.
        on_data: Called with each piece of data, after it has been logged.
        on_lost: Called after ``connectionLost`` has been logged.
    """

    def __init__(self, log: list[object] | None = None) -> None:
        self.log: list[object] = [] if log is None else log
        self.on_connected: Callable[[], object] = lambda: None
        self.on_data: Callable[[bytes], object] = lambda data: None
        self.on_lost: Callable[[], object] = lambda: None

    def connectionMade(self) -> None:
        """Log it."""
        self.log.append("connected")
        self.on_connected()

    def dataReceived(self, data: bytes) -> None:
        """Log it."""
        self.log.append(data)
        self.on_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Log it, with the class of the reason."""
        self.log.append(f"lost: {type(reason.value).__name__}")
        self.on_lost()

    @property
    def received(self) -> list[bytes]:
        """The pieces of data alone, one for each ``dataReceived``."""
        return [record for record in self.log if isinstance(record, bytes)]


class AwaitedRecorder(Recorder):
    """A recorder for real sockets, which a test can wait for.

    Attributes:
        connection: Fires with this protocol when it is connected.
        loss: Fires when the connection is lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.connection: Deferred[AwaitedRecorder] = Deferred()
        self.loss: Deferred[None] = Deferred()
        self.on_connected = lambda: self.connection.callback(self)
        self.on_lost = lambda: self.loss.callback(None)

    def reception(self, size: int) -> Deferred[bytes]:
        """Return a Deferred that fires with all received data, once that is ``size`` bytes."""
        done: Deferred[bytes] = Deferred()

        def look(_data: bytes = b"") -> None:
            if not done.called and sum(map(len, self.received)) >= size:
                done.callback(b"".join(self.received))

        self.on_data = look
        look()
        return done


class PullRecorder(Recorder):
    """A recorder for ``Delivery.READABLE``, which reads only when the test wants it to.

    Attributes:
        source: What to read from, once ``readable`` has been called.
        on_readable: Called after ``readable`` has been logged.
    """

    def __init__(self, log: list[object] | None = None) -> None:
        super().__init__(log)
        self.source: PullSource
        self.on_readable: Callable[[], object] = lambda: None

    def readable(self, source: PullSource) -> None:
        """Log that there is something to read, without reading it."""
        self.source = source
        self.log.append("readable")
        self.on_readable()

    def read_all(self) -> None:
        """Read until nothing is left; log each piece, then ``"read all"``."""
        while data := self.source.read():
            self.log.append(data)
        self.log.append("read all")


@implementer(IPushProducer)
class RecordingProducer:
    """A push producer that logs ``"pause"``, ``"resume"`` and ``"stop"``, and produces nothing."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pauseProducing(self) -> None:
        """Log it."""
        self.log.append("pause")

    def resumeProducing(self) -> None:
        """Log it."""
        self.log.append("resume")

    def stopProducing(self) -> None:
        """Log it."""
        self.log.append("stop")


class RecordingListener:
    """A ``tlsdemo.tls.Listener`` that keeps a log of how a connection is secured.

    Args:
        log: Where to log; may be the log of the application's recorder.
        application: The protocol that is connected when the connection is secure; None rejects
            the connection.

    Attributes:
        info: What was negotiated, once the connection is secure.
        close_reason: Why the connection ended or could not be secured.
        on_secure: Called when the connection is secure, before the application is connected.
    """

    def __init__(self, log: list[object], application: IProtocol | None) -> None:
        self.log = log
        self.application = application
        self.info: ConnectionInfo | None = None
        self.close_reason: CloseReason | None = None
        self.on_secure: Callable[[], object] = lambda: None

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """See `Listener`."""
        self.info = info
        self.log.append("secure")
        self.on_secure()
        return self.application

    def plain(self) -> IProtocol | None:
        """See `Listener`."""
        self.log.append("plain")
        self.on_secure()
        return self.application

    def insecure(self, close_reason: CloseReason) -> None:
        """See `Listener`."""
        self.close_reason = close_reason
        self.log.append(f"insecure: {close_reason.cause.value}")

    def ended(self, close_reason: CloseReason) -> None:
        """See `Listener`."""
        self.close_reason = close_reason
        self.log.append(f"ended: {close_reason.cause.value}")


class RecordingObserver:
    """An :class:`~tlsdemo.tls.Observer` that keeps a log of events, but not of details.

    Attributes:
        names: The names of all events.
        log: Gets ``"handshake completed"`` when Twisted's ``handshakeCompleted`` is called.
        on_handshake_completed: Called then.
    """

    detailed = False

    def __init__(self, log: list[object]) -> None:
        self.names: list[str] = []
        self.log = log
        self.on_handshake_completed: Callable[[], object] = lambda: None

    def event(self, name: str, **facts: object) -> None:
        """See `Observer`."""
        self.names.append(name)
        if name == "handshakeCompleted":
            self.log.append("handshake completed")
            self.on_handshake_completed()

    def detail(self, name: str, **facts: object) -> None:
        """Never called."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Never called."""

    def tls_created(self, connection: object) -> None:
        """Never called."""
