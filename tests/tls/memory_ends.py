"""The two ends of a connection in memory: a tlsdemo end, and a peer of the standard library."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.task import Clock

from tests.support import (
    MemoryTransport,
    Recorder,
    RecordingListener,
    RecordingObserver,
    StartTLSTransport,
    certificates,
    exchange,
    factory_of,
)
from tlsdemo.certificates.files import Credentials
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.testing import SSLPeer
from tlsdemo.tls import (
    MODES,
    NO_TIMEOUTS,
    TLS,
    ClientTLS,
    ConnectionSettings,
    Delivery,
    ModeName,
    Observer,
    SecurePair,
    Send,
    ServerTLS,
    Stream,
    Timeouts,
    UpgradeProtocol,
)

TLS12 = ssl.TLSVersion.TLSv1_2
TLS13 = ssl.TLSVersion.TLSv1_3


class ForeignPeer(SSLPeer):
    """A TLS peer of the standard library."""

    def receive(self, data: bytes) -> None:
        self.deliver(data)


def foreign_client(
    *,
    credentials: Credentials | None = None,
    version: ssl.TLSVersion = TLS13,
    server_name: str = "localhost",
    alpn: Sequence[str] = (),
    ciphers: str = "",
    session: ssl.SSLSession | None = None,
    context: ssl.SSLContext | None = None,
) -> ForeignPeer:
    """A client with the demonstration's client certificate, by default."""
    context = context or foreign_context(ssl.PROTOCOL_TLS_CLIENT, credentials, version)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ciphers:
        context.set_ciphers(ciphers)
    return ForeignPeer(context, server_name=server_name, session=session)


def foreign_server(
    *,
    credentials: Credentials | None = None,
    version: ssl.TLSVersion = TLS13,
    verify: ssl.VerifyMode = ssl.CERT_REQUIRED,
    alpn: Sequence[str] = (),
    ciphers: str = "",
) -> ForeignPeer:
    """A server with the demonstration's certificate, which requires one of its client."""
    context = foreign_context(ssl.PROTOCOL_TLS_SERVER, credentials, version)
    context.verify_mode = verify
    if alpn:
        context.set_alpn_protocols(list(alpn))
    if ciphers:
        context.set_ciphers(ciphers)
    return ForeignPeer(context)


def foreign_context(
    protocol: Any, credentials: Credentials | None, version: ssl.TLSVersion
) -> ssl.SSLContext:
    is_client = protocol is ssl.PROTOCOL_TLS_CLIENT
    chosen = credentials or (certificates().client if is_client else certificates().server)
    context = ssl.SSLContext(protocol)
    # Some tests need versions that are deprecated, in order to have them refused.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if chosen.certificate is not None:
        context.load_cert_chain(chosen.certificate, chosen.key)
    context.load_verify_locations(certificates().authority)
    return context


def anonymous() -> Credentials:
    """The credentials of a peer without a certificate."""
    return Credentials(None, None, certificates().authority)


@functools.cache
def server_tls(**options: Any) -> ServerTLS:
    return ServerTLS.build(certificates().server, **options)


@functools.cache
def client_tls(server_name: str = "localhost", **options: Any) -> ClientTLS:
    return ClientTLS.build(certificates().client, server_name, **options)


class End:
    """A tlsdemo end on a wire in memory, with a log of everything that happens to it."""

    def __init__(
        self,
        mode: ModeName,
        tls: TLS,
        *,
        application: Recorder | None = None,
        delivery: Delivery | None = None,
        send: Send | None = None,
        high_water: int = 1 << 16,
        clock: Clock | None = None,
        negotiation: Callable[[], Negotiation] = ImmediateServer,
        timeouts: Timeouts = NO_TIMEOUTS,
        observer: Observer | None = None,
    ) -> None:
        self.application = application or Recorder()
        self.log = self.application.log
        self.listener = RecordingListener(self.log, self.application)
        self.clock = clock or Clock()
        self.observer: Any = RecordingObserver(self.log) if observer is None else observer
        chosen = MODES[mode]
        settings = ConnectionSettings(
            chosen,
            tls,
            negotiation,
            chosen.transport_options(delivery, send, high_water),
            timeouts,
        )
        self.protocol = UpgradeProtocol(settings, self.listener, self.clock, self.observer)
        factory = chosen.wrap(tls, factory_of(self.protocol), self.clock)
        self._outermost: Any = factory.buildProtocol(MemoryTransport().getPeer())
        self.transport: MemoryTransport = StartTLSTransport(tls.is_client)

    def begin(self) -> End:
        """Connect the wire."""
        self.transport.protocol = self._outermost
        self._outermost.makeConnection(self.transport)
        return self

    @property
    def stream(self) -> Stream:
        assert self.protocol.stream is not None
        return self.protocol.stream

    def exchange_with(self, peer: ForeignPeer) -> None:
        """Exchange bytes with ``peer`` until neither has any more to send."""
        while True:
            ours, theirs = self.transport.take(), peer.take()
            if not ours and not theirs:
                break
            if ours:
                peer.receive(ours)
            if theirs:
                self.transport.deliver(theirs)
        self.transport.turn()

    def until_complete(self, peer: ForeignPeer) -> End:
        """Connect, and continue until ``peer``'s handshake is complete; its last flight is kept."""
        self.begin()
        while not peer.complete:
            if flight := peer.take():
                self.transport.deliver(flight)
            peer.receive(self.transport.take())
        return self

    def secured_with(self, peer: ForeignPeer) -> End:
        """Connect, and complete the handshake with ``peer``."""
        self.begin().exchange_with(peer)
        assert self.log[:3] == ["handshake completed", "secure", "connected"], self.log
        assert peer.complete
        return self


def record_types(wire: bytes) -> list[int]:
    """Return the types of the TLS records in ``wire``; 23 is application data."""
    types = []
    while wire:
        types.append(wire[0])
        wire = wire[5 + int.from_bytes(wire[3:5], "big") :]
    return types


class PairEnd:
    """A pair with a recording application, on a wire in memory."""

    def __init__(self, tls: TLS, **options: Any) -> None:
        self.application = Recorder()
        self.log = self.application.log
        self.pair = SecurePair(
            tls,
            self.application,
            on_secure=options.pop("on_secure", lambda _info: self.log.append("secure")),
            on_insecure=lambda close_reason: self.log.append(f"insecure: {close_reason}"),
            **options,
        )
        self.transport = MemoryTransport(self.pair.encrypted)

    def begin(self, transport: Any = None) -> PairEnd:
        """Connect the wire, or another ``transport``."""
        self.pair.encrypted.makeConnection(transport or self.transport)
        return self


def joined_pairs(server: PairEnd | None = None) -> tuple[PairEnd, PairEnd]:
    """Two connected pairs whose handshake is complete, with empty logs."""
    server, client = server or PairEnd(server_tls()), PairEnd(client_tls())
    server.begin()
    client.begin()
    exchange(server.transport, client.transport)
    for end in (server, client):
        assert end.log == ["secure", "connected"], end.log
        end.log.clear()
    return server, client
