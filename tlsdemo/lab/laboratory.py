"""Observed connections over loopback, one for each cell of the scenario matrix.

Theory of operation.  Client and server are in this process and share its clock.  Between them is a
relay, which sees the records and injects the faults; so both ends are real implementations.  Each
connection has its own contexts, sockets and timeout, and leaves nothing behind when it is over.
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
"""Timeouts of both ends, so long that events do not change their order on a busy machine."""

IGNORED_TIMEOUT = 0.2
"""Seconds that an end still waits once the relay no longer forwards anything to it."""

RUN_TIMEOUT = 90.0
"""Seconds after which a connection that has not ended is given up.

With a load of 40, a peer's program took more than 30 s to exit after its connection was over."""

ABORT_TIMEOUT = 1.0
"""Seconds that both ends have for closing after a connection has been given up and reset."""

VERSIONS = {"1.2": TLSVersion.TLS_1_2, "1.3": TLSVersion.TLS_1_3}


@dataclass(frozen=True)
class Cell:
    """One cell of the scenario matrix: a mode, a version of TLS, and a scenario.

    ``peer`` is the stack at the other end: ``tlsdemo`` or one of the others.
    """

    mode: str
    tls: str
    scenario: Scenario
    peer: str = "tlsdemo"

    def __str__(self) -> str:
        return f"{self.mode}, TLS {self.tls}, {self.scenario.name}"


class GivenUp(Exception):
    """A connection did not end in time, or failed; the message says which and why."""


class Laboratory:
    """What all connections share: a reactor, certificates, and preparations of TLS contexts."""

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
    """Return the policy that allows one version only."""
    return Policy(lowest=VERSIONS[tls], highest=VERSIONS[tls])


def _other(tls: str) -> str:
    return next(name for name in VERSIONS if name != tls)


@dataclass(frozen=True)
class OurEnd:
    """A tlsdemo end: its observer, its listener, and the factory of its protocol."""

    observer: ConnectionObserver
    endpoint: ScriptedEndpoint
    factory: Any


class Run:
    """One connection: its trace, its ports, and its timeout."""

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
        """Return the seconds since the run began."""
        return time.monotonic() - self.began

    def listen(self, factory: Any) -> int:
        """Listen on a free port of the loopback interface, and return it."""
        port: IListeningPort = self.reactor.listenTCP(0, factory, interface="127.0.0.1")
        self._ports.append(port)
        address: Any = port.getHost()
        return int(address.port)

    def relay_to(self, port: int) -> int:
        """Start a relay to ``port``, and return the port that it listens on."""
        scenario = self.cell.scenario
        self.relay = Relay(
            self.reactor,
            port,
            self.elapsed,
            self.trace.seen.append,
            scenario.fault,
            scenario.one_segment,
        )
        self.relay.on_ignored = lambda end: self._clocks[end.other].hurry(IGNORED_TIMEOUT)
        listens = self.listen(self.relay)
        self.trace.facts["port"] = listens
        return listens

    def our_end(
        self, end: End, mode: Mode, tls: TLS, negotiation: Callable[[], Negotiation]
    ) -> OurEnd:
        """Make a tlsdemo end."""
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
        """Connect ``client`` to ``port``; the Deferred fires when it is connected."""
        endpoint = TCP4ClientEndpoint(self.reactor, "127.0.0.1", port)
        return endpoint.connect(client.factory)

    async def until(self, ends: Sequence[Deferred[Any]], abort: Callable[[], object]) -> None:
        """Wait until all ``ends`` have fired.

        Raises:
            GivenUp: If one of them fails, they take too long, or the waiting is cancelled.  Then
                ``abort`` is called first, and the ends have a short time to fire.
        """
        outcome: Deferred[str] = Deferred()

        def finish(problem: str) -> None:
            if not outcome.called:
                outcome.callback(problem)

        for end in ends:
            end.addErrback(lambda failure: finish(failure.getErrorMessage()))
        over = DeferredList(ends).addCallback(lambda _: finish(""))
        late = self.reactor.callLater(RUN_TIMEOUT, finish, f"not over after {RUN_TIMEOUT:g} s")
        try:
            problem = await outcome
        except CancelledError:
            problem = "interrupted"
        if late.active():
            late.cancel()
        if problem:
            abort()
            late = self.reactor.callLater(ABORT_TIMEOUT, over.cancel)
            await over
            if late.active():
                late.cancel()
        for port in self._ports:
            await maybeDeferred(port.stopListening)
        if problem:
            raise GivenUp(f"{self.cell}: {problem}")
