"""What the tests share: certificates, wires in memory, and those who write down what they see."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet import _newtls
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.protocols import tls
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import CloseReason
from tlsdemo.tls import ConnectionInfo, PullSource

# Certificates, made once in a run, in trial's own directory.


def now() -> datetime:
    return datetime.now(timezone.utc)


@functools.cache
def certificates() -> DemoCertificates:
    return demo_certificates(Path.cwd() / "certificates", "ecdsa", now())


def subject_of(credentials: Credentials) -> str:
    assert credentials.certificate is not None
    certificate = x509.load_pem_x509_certificate(credentials.certificate.read_bytes())
    return certificate.subject.rfc4514_string()


# Wires in memory.


@implementer(ITransport, IPushProducer)
class MemoryTransport:
    """A transport without a socket, which closes and is paused as a TCP connection is.

    What its protocol writes is taken with :meth:`take`; what :meth:`deliver` is given waits while
    it is paused, until the next :meth:`turn` after it has been resumed.
    """

    def __init__(self, protocol: Any = None) -> None:
        self.protocol = protocol
        self.disconnecting = False
        self.aborted = False
        self.connected = True
        self.paused = False
        self.producer: Any = None
        self.streamingProducer = False
        self.no_delay = False
        self._written: list[bytes] = []
        self._arrived: list[bytes] = []

    def deliver(self, data: bytes) -> None:
        self._arrived.append(data)
        self.turn()

    def turn(self) -> None:
        """Do what a turn of the reactor would."""
        while self._arrived and not self.paused and self.connected and not self.aborted:
            self.protocol.dataReceived(self._arrived.pop(0))
        if self.aborted:
            self.lose(ConnectionAborted())
        elif self.disconnecting and not self._written:
            self.lose(ConnectionDone())

    def lose(self, reason: Exception) -> None:
        """Have the connection end for ``reason``, if it has not ended yet."""
        if self.connected:
            self.connected = False
            self.protocol.connectionLost(Failure(reason))

    def take(self) -> bytes:
        """Return what was written since the last time."""
        written, self._written = b"".join(self._written), []
        return written

    def write(self, data: bytes) -> None:
        if self.connected and not self.aborted:
            self._written.append(data)

    def writeSequence(self, data: Any) -> None:
        self.write(b"".join(data))

    def loseConnection(self) -> None:
        self.disconnecting = True

    def abortConnection(self) -> None:
        self.disconnecting = self.aborted = True
        self._written = []

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.loseConnection()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert self.producer is None
        self.producer, self.streamingProducer = producer, streaming

    def unregisterProducer(self) -> None:
        self.producer = None

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.no_delay = enabled

    def getPeer(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.1", 1)

    def getHost(self) -> IPv4Address:
        return IPv4Address("TCP", "192.0.2.2", 2)


class StartTLSTransport(MemoryTransport):
    """One whose ``startTLS`` is Twisted's own, which ``iosim``'s only pretends to be."""

    TLS = False

    def __init__(self, is_client: bool) -> None:
        super().__init__()
        self._tlsClientDefault = is_client

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:  # noqa: N803
        start_tls(self, contextFactory, MemoryTransport)


def start_tls(transport: Any, context_factory: Any, bypass: type) -> None:
    """Do what ``startTLS`` does, on a ``transport`` whose methods below TLS are ``bypass``'s."""
    _newtls.startTLS(transport, context_factory, True, bypass)


def patch_reactor_clock(case: SynchronousTestCase) -> Clock:
    """Have ``startTLS`` flush what it buffers by the clock that this returns."""
    clock = Clock()
    case.patch(tls, "_get_default_clock", lambda: clock)
    return clock


def exchange(one: MemoryTransport, other: MemoryTransport) -> None:
    """Carry bytes between two transports, and the end of either, until nothing moves."""
    moving = True
    while moving:
        moving = False
        for source, target in ((one, other), (other, one)):
            if data := source.take():
                moving = True
                target.deliver(data)
            if source.connected and source.disconnecting:
                source.turn()
                if not source.connected:
                    target.lose(ConnectionDone())
    one.turn()
    other.turn()


# Those who write down what they see.


class Recorder(Protocol):
    """An application that writes down in ``log`` what happens to it; data as bytes."""

    def __init__(self, log: list[object] | None = None) -> None:
        self.log: list[object] = [] if log is None else log
        self.on_connected: Callable[[], object] = lambda: None
        self.on_data: Callable[[bytes], object] = lambda data: None
        self.on_lost: Callable[[], object] = lambda: None

    def connectionMade(self) -> None:
        self.log.append("connected")
        self.on_connected()

    def dataReceived(self, data: bytes) -> None:
        self.log.append(data)
        self.on_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.log.append(f"lost: {type(reason.value).__name__}")
        self.on_lost()

    @property
    def received(self) -> list[bytes]:
        """The events of data alone."""
        return [record for record in self.log if isinstance(record, bytes)]


class AwaitedRecorder(Recorder):
    """An application whose future can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.connection: Deferred[AwaitedRecorder] = Deferred()
        self.loss: Deferred[None] = Deferred()
        self.on_connected = lambda: self.connection.callback(self)
        self.on_lost = lambda: self.loss.callback(None)

    def reception(self, size: int) -> Deferred[bytes]:
        """Return a Deferred of all that has been received, when that is ``size`` bytes."""
        done: Deferred[bytes] = Deferred()

        def look(_data: bytes = b"") -> None:
            if not done.called and sum(map(len, self.received)) >= size:
                done.callback(b"".join(self.received))

        self.on_data = look
        look()
        return done


class ReadingRecorder(Recorder):
    """An application that is told of data, and takes it when ``on_readable`` does."""

    def __init__(self, log: list[object] | None = None) -> None:
        super().__init__(log)
        self.source: PullSource
        self.on_readable: Callable[[], object] = lambda: None

    def readable(self, source: PullSource) -> None:
        self.source = source
        self.log.append("readable")
        self.on_readable()

    def read_all(self) -> None:
        """Read until nothing is left, and write down each piece and the end."""
        while data := self.source.read():
            self.log.append(data)
        self.log.append("read all")


@implementer(IPushProducer)
class RecordingProducer:
    """Writes down how it is told to produce."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def pauseProducing(self) -> None:
        self.log.append("pause")

    def resumeProducing(self) -> None:
        self.log.append("resume")

    def stopProducing(self) -> None:
        self.log.append("stop")


class RecordingListener:
    """Writes down in ``log`` how the securing goes, and answers with ``application``."""

    def __init__(self, log: list[object], application: IProtocol | None) -> None:
        self.log = log
        self.application = application
        self.info: ConnectionInfo | None = None
        self.close_reason: CloseReason | None = None
        self.on_secure: Callable[[], object] = lambda: None

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        self.info = info
        self.log.append("secure")
        self.on_secure()
        return self.application

    def plain(self) -> IProtocol | None:
        self.log.append("plain")
        self.on_secure()
        return self.application

    def insecure(self, close_reason: CloseReason) -> None:
        self.close_reason = close_reason
        self.log.append(f"insecure: {close_reason.cause.value}")

    def ended(self, close_reason: CloseReason) -> None:
        self.close_reason = close_reason
        self.log.append(f"ended: {close_reason.cause.value}")


class RecordingObserver:
    """Records the names of events, and in ``log`` that Twisted's handshakeCompleted was called."""

    detailed = False

    def __init__(self, log: list[object]) -> None:
        self.names: list[str] = []
        self.log = log
        self.on_handshake_completed: Callable[[], object] = lambda: None

    def event(self, name: str, **facts: object) -> None:
        self.names.append(name)
        if name == "handshakeCompleted":
            self.log.append("handshake completed")
            self.on_handshake_completed()

    def detail(self, name: str, **facts: object) -> None:
        raise AssertionError(f"{name} is a detail")

    def wire(self, sent: bool, data: bytes) -> None:
        raise AssertionError("the wire is a detail")

    def tls_created(self, connection: object) -> None:
        raise AssertionError("the connection is a detail")


def factory_of(protocol: IProtocol) -> Factory:
    """A factory for one connection."""
    return Factory.forProtocol(lambda: protocol)  # type: ignore[arg-type, return-value]
