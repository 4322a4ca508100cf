"""Where connections are made to be watched: one for each cell of the matrix, over loopback.

Theory of operation.  Client and server are in this process and share its clock.  Between them is
a relay, which sees the records and does the damage; so both ends are real, whatever goes wrong.
Each connection has contexts, sockets and a deadline of its own, and nothing of it is left when it
is over.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, DeferredList, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IListeningPort
from twisted.internet.protocol import Factory

from tlsdemo.lab.hurried_clock import HurriedClock
from tlsdemo.lab.relay import Relay
from tlsdemo.lab.scenario_certificates import Certificates
from tlsdemo.lab.scenarios import Action, Scenario
from tlsdemo.lab.scripted_endpoint import ScriptedEndpoint
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls import (
    TLS,
    ClientAuth,
    ClientTLS,
    ConnectionSettings,
    Mode,
    Policy,
    ServerTLS,
    Timeouts,
    TLSVersion,
    UpgradeProtocol,
)
from tlsdemo.tls.contexts import Preparation
from tlsdemo.tls.handshake_observation import observe_states
from tlsdemo.trace.connection_observer import ConnectionObserver
from tlsdemo.trace.model import End, Trace

TIMEOUTS = Timeouts(plain=20.0, handshake=20.0, idle=20.0, closing=20.0)
"""How long the ends wait for each other: so long that a busy machine changes no order."""

IN_VAIN = 0.2
"""Seconds that an end waits still, once the relay passes nothing to it any more."""

DEADLINE = 30.0
"""Seconds after which a connection that has not ended is given up."""

LAST = 1.0
"""Seconds that the ends of a connection have left, to end on being reset, when it is given up."""

VERSIONS = {"1.2": TLSVersion.TLS_1_2, "1.3": TLSVersion.TLS_1_3}


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix: how it is secured, by which TLS, and how it goes.

    ``peer``: what the other end is; ``tlsdemo`` where both are ours.
    """

    mode: str
    tls: str
    scenario: Scenario
    peer: str = "tlsdemo"

    def __str__(self) -> str:
        return f"{self.mode}, TLS {self.tls}, {self.scenario.name}"


class GivenUp(Exception):
    """A connection did not come to its end in time; the text says which."""


class Laboratory:
    """What all connections share; ``preparations`` are applied to each TLS context."""

    def __init__(
        self, reactor: Any, certificates: Certificates, preparations: Sequence[Preparation] = ()
    ) -> None:
        self.reactor = reactor
        self.certificates = certificates
        self.preparations = [observe_states, *preparations]

    def server_tls(self, cell: Cell) -> ServerTLS:
        """Build the server's context."""
        scenario = cell.scenario
        return ServerTLS.build(
            self.certificates.credentials(End.SERVER, scenario.server.certificate),
            ClientAuth.REQUIRED if scenario.client_certificate_required else ClientAuth.NONE,
            scenario.server.alpn,
            policy=policy(cell.tls),
            preparations=self.preparations,
        )

    def client_tls(self, cell: Cell) -> ClientTLS:
        """Build the client's context."""
        scenario = cell.scenario
        tls = _other(cell.tls) if scenario.versions_differ else cell.tls
        return ClientTLS.build(
            self.certificates.credentials(End.CLIENT, scenario.client.certificate),
            scenario.expected_name,
            scenario.client.alpn,
            policy=policy(tls),
            preparations=self.preparations,
        )


def policy(tls: str) -> Policy:
    """Return the policy of one version and no other."""
    return Policy(lowest=VERSIONS[tls], highest=VERSIONS[tls])


def _other(tls: str) -> str:
    return next(name for name in VERSIONS if name != tls)


@dataclass(frozen=True)
class OurEnd:
    """One end of ours: what observes it, its listener, and what makes its protocol."""

    observer: ConnectionObserver
    endpoint: ScriptedEndpoint
    factory: Any


class Run:
    """What every connection in the laboratory has: a trace, ports, and a deadline."""

    def __init__(self, lab: Laboratory, cell: Cell) -> None:
        self.reactor = lab.reactor
        self.cell = cell
        self.trace = Trace(
            str(cell), {"mode": cell.mode, "tls": cell.tls, "way": cell.scenario.name}
        )
        self.began = time.monotonic()
        self.relay: Relay
        self._ports: list[IListeningPort] = []
        self._clocks = {end: HurriedClock(lab.reactor) for end in End}

    def elapsed(self) -> float:
        """Return the seconds since it began."""
        return time.monotonic() - self.began

    def listen(self, factory: Any) -> int:
        """Listen on a free port of the loopback interface, and return it."""
        port: IListeningPort = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        address: Any = port.getHost()
        return int(address.port)

    def relay_to(self, port: int) -> int:
        """Put the relay before ``port``, and return the one that it listens on."""
        scenario = self.cell.scenario
        self.relay = Relay(
            self.reactor,
            port,
            self.elapsed,
            self.trace.seen.append,
            scenario.fault,
            scenario.one_segment,
        )
        self.relay.on_ignored = lambda end: self._clocks[end.other].hurry(IN_VAIN)
        listens = self.listen(self.relay)
        self.trace.facts["port"] = listens
        return listens

    def our_end(
        self, end: End, mode: Mode, tls: TLS, negotiation: Callable[[], Negotiation]
    ) -> OurEnd:
        """Make one end of ours."""
        observer = ConnectionObserver(
            end, time.monotonic, self.began, self.trace.seen.append, wire=False
        )
        actions = {
            Action.CUT: lambda: self.relay.cut(),
            Action.RESET: lambda: self.relay.reset(),
            Action.CLOSE_UNANSWERED: lambda: self.relay.ignore(end.other),
        }
        endpoint = ScriptedEndpoint(end, self.cell.scenario, actions)
        settings = ConnectionSettings(mode, tls, negotiation, timeouts=TIMEOUTS)
        protocol = UpgradeProtocol(settings, endpoint, self._clocks[end], observer)
        factory = Factory.forProtocol(lambda: protocol)
        factory.noisy = False
        return OurEnd(observer, endpoint, mode.wrap(tls, factory, self.reactor))

    def connect(self, port: int, client: OurEnd) -> Deferred[Any]:
        """Connect ``client`` to ``port``; fires when it is connected."""
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)
        return endpoint.connect(client.factory)

    async def until(self, ends: Sequence[Deferred[Any]], abort: Callable[[], object]) -> None:
        """Wait until all ``ends`` have fired.

        Raises :class:`GivenUp` if one of them fails, or if it takes too long, or if the waiting
        is cancelled.  ``abort`` is to end then what has not ended; it is not waited for long.
        """
        told: Deferred[str] = Deferred()

        def tell(problem: str) -> None:
            if not told.called:
                told.callback(problem)

        for end in ends:
            end.addErrback(lambda failure: tell(failure.getErrorMessage()))
        over = DeferredList(ends).addCallback(lambda _: tell(""))
        late = self.reactor.callLater(DEADLINE, tell, f"not over after {DEADLINE:g} s")
        try:
            problem = await told
        except CancelledError:
            problem = "interrupted"
        if late.active():
            late.cancel()
        if problem:
            abort()
            late = self.reactor.callLater(LAST, over.cancel)
            await over
            if late.active():
                late.cancel()
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        if problem:
            raise GivenUp(f"{self.cell}: {problem}")
