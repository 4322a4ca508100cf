"""Accepting connections that begin with a header of the PROXY protocol.

Theory of operation.  A ``ProxyHeaderProtocol`` reads the header, and nothing else.  Only then does
the factory that it serves make the connection's protocol, for the client's address, and that gets
the transport itself, as if it had been connected just now.  So a client counts, is limited and is
logged by its own address, and every mode has the transport that it needs.

The transport's ``getPeer`` and ``getHost`` return what the header says, as with Twisted's own
``haproxy:`` endpoint.  That one is not used: its wrapper stays between transport and protocol, so
``startTLS`` cannot find the protocol, and it asks for the protocol before it knows the client.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from twisted.internet import address as addresses
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, ILoggingContext, IProtocolFactory, IReactorTime
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.net.addresses import address_text
from tlsdemo.net.proxy_header import (
    MAX_HEADER,
    BadProxyHeader,
    IPAddress,
    ProxyHeader,
    read_proxy_header,
)
from tlsdemo.proxy.accounting import Accounting
from tlsdemo.proxy.limiter import ConnectionLimiter
from tlsdemo.proxy.open_connections import OpenConnections
from tlsdemo.state_machine import StateMachine, Symbol, transition_table

IPNetwork = IPv4Network | IPv6Network

LOOPBACK: tuple[IPNetwork, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

HEADER_TIMEOUT = 5.0
"""Seconds for the header; the specification demands at least 3, for a TCP retransmission."""


@dataclass(frozen=True)
class ProxyHeaderSettings:
    """From whom a header is accepted, and its limits.

    Attributes:
        trusted: The networks of those who may send one; others are refused.  Everyone who can
            connect to a UNIX socket may.
        timeout: Seconds from the connection to the end of the header; 0 for no limit.
        most: Bytes of a header of version 2.
    """

    trusted: Sequence[IPNetwork] = LOOPBACK
    timeout: float = HEADER_TIMEOUT
    most: int = MAX_HEADER

    def trusts(self, address: IAddress | None) -> bool:
        """Whether a connection from ``address`` may send a header."""
        host = getattr(address, "host", None)
        if host is None:
            return True
        ip = ip_address(host)
        # A socket of IPv6 has the clients of IPv4 as mapped addresses (RFC 4291, section 2.5.5.2).
        ip = ip.ipv4_mapped or ip if isinstance(ip, IPv6Address) else ip
        return any(ip in network for network in self.trusted)

    def __str__(self) -> str:
        return ", ".join([*map(str, self.trusted), "UNIX sockets"])


FROM_LOOPBACK = ProxyHeaderSettings()
"""What applies unless configured otherwise."""


@implementer(ILoggingContext)
class ProxyHeaderFactory(ServerFactory):
    """Reads a header from each connection before ``factory`` makes the protocol for it.

    The endpoint must not put anything between a connection's socket and the protocol.
    """

    noisy = False

    def __init__(
        self,
        factory: IProtocolFactory,
        settings: ProxyHeaderSettings,
        accounting: Accounting,
        limiter: ConnectionLimiter,
        clock: IReactorTime,
    ) -> None:
        self.wrapped = factory
        self.settings = settings
        self.accounting = accounting
        self.limiter = limiter
        self.clock = clock
        self.open: OpenConnections[ProxyHeaderProtocol] = OpenConnections()

    def logPrefix(self) -> str:
        """Return the name that Twisted logs when a port is opened or closed."""
        return "the server"

    def buildProtocol(self, addr: IAddress | None) -> ProxyHeaderProtocol | None:
        """Make the protocol that reads the header; none if ``addr`` may not send one."""
        peer = address_text(addr) if addr is not None else "?"
        if not self.settings.trusts(addr):
            text = "it came from an address that is not in --proxy-protocol-from"
            self.accounting.rejected(peer, CloseReason(Cause.PROXY_HEADER, text))
            return None
        problem = self.limiter.problem(None)
        if problem is not None:
            self.accounting.rejected(peer, CloseReason(Cause.TOO_MANY, problem))
            return None
        return ProxyHeaderProtocol(self, addr, peer)

    def abort_all(self) -> Deferred[None]:
        """Close every connection whose header is not complete; fires when all have ended."""
        for protocol in self.open:
            protocol.abort()
        return self.open.when_none()


class _State(Symbol):
    READING = "reading the header"
    PASSED = "passed on"
    CLOSING = "closing"
    LOST = "lost"


class _Input(Symbol):
    DATA = "data"
    HEADER = "header complete"
    REFUSE = "bad header, or timeout"
    ABORT = "abort, or no protocol for the client"
    LOST = "connection lost"


class ProxyHeaderProtocol(StateMachine, Protocol):
    """The protocol of one connection until its header is complete."""

    transport: Any

    def __init__(self, factory: ProxyHeaderFactory, address: IAddress | None, peer: str) -> None:
        self._server = factory
        self._address = address
        self._peer = peer
        self._received = b""
        self._timeout: Any = None
        self._state = _State.READING

    def connectionMade(self) -> None:
        """Wait for the header."""
        self._server.limiter.add(None)
        self._server.open.add(self)
        seconds = self._server.settings.timeout
        if seconds > 0:
            reason = f"it was not complete after {seconds:g} s"
            self._timeout = self._server.clock.callLater(seconds, self._expired, reason)

    def dataReceived(self, data: bytes) -> None:
        """Read the header, which may come in pieces."""
        self._input(_Input.DATA, data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Report that the connection ended before its header did."""
        self._input(_Input.LOST)

    def abort(self) -> None:
        """Close at once."""
        self._input(_Input.ABORT)

    def _expired(self, reason: str) -> None:
        self._timeout = None
        self._input(_Input.REFUSE, reason)

    # The actions of the state machine.

    def _read(self, data: bytes) -> None:
        self._received += data
        try:
            found = read_proxy_header(self._received, self._server.settings.most)
        except BadProxyHeader as problem:
            self._input(_Input.REFUSE, str(problem))
        else:
            if found is not None:
                header, length = found
                self._input(_Input.HEADER, header, self._received[length:])

    def _pass_on(self, header: ProxyHeader, rest: bytes) -> None:
        self._release()
        transport, client = self.transport, self._address
        if header.source is not None and header.destination is not None:
            client, server = _address(header.source), _address(header.destination)
            transport.getPeer, transport.getHost = (lambda: client), (lambda: server)
        protocol: Any = self._server.wrapped.buildProtocol(client)  # type: ignore[arg-type]
        if protocol is None:
            self._input(_Input.ABORT)
            return
        self._server.open.remove(self)
        transport.protocol = protocol
        protocol.makeConnection(transport)
        if rest:
            # Not necessarily to the protocol: TLS may have begun.
            transport.protocol.dataReceived(rest)

    def _refuse(self, reason: str) -> None:
        self._reject(reason)
        self._close()

    def _close(self) -> None:
        self._release()
        self.transport.abortConnection()

    def _end_early(self) -> None:
        self._release()
        if self._received:
            self._reject(f"it ended after {len(self._received)} bytes")
        else:
            self._server.accounting.statistics.probes += 1
        self._server.open.remove(self)

    def _abort_transport(self) -> None:
        self.transport.abortConnection()

    def _forget(self) -> None:
        self._server.open.remove(self)

    def _reject(self, reason: str) -> None:
        self._server.accounting.rejected(self._peer, CloseReason(Cause.PROXY_HEADER, reason))

    def _release(self) -> None:
        """Stop waiting, and no longer count as a connection without a client."""
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None
        self._server.limiter.remove(None)

    states = _State
    transitions = transition_table(
        (_State.READING, _Input.DATA, _State.READING, _read),
        (_State.READING, _Input.HEADER, _State.PASSED, _pass_on),
        (_State.READING, _Input.REFUSE, _State.CLOSING, _refuse),
        (_State.READING, _Input.ABORT, _State.CLOSING, _close),
        (_State.READING, _Input.LOST, _State.LOST, _end_early),
        (_State.PASSED, _Input.ABORT, _State.CLOSING, _abort_transport),
        (_State.CLOSING, _Input.LOST, _State.LOST, _forget),
    )


def _address(end: tuple[IPAddress, int]) -> IAddress:
    kind = addresses.IPv4Address if end[0].version == 4 else addresses.IPv6Address
    return kind("TCP", str(end[0]), end[1])
