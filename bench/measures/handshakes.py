"""Handshakes: the CPU of the proxy for each, connecting to the backend included.

A client's handshake costs as much as a server's, so the load cannot be cheaper than the peer.  It
is the peer's CPU that is measured, not handshakes a second; with 100 in flight it is always busy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from OpenSSL import SSL

from bench.child import CannotMeasure, NotInstalled
from bench.load.connection import Connection
from bench.load.pins import HYBRID, Pins
from bench.measures.task import Found, Task, of_server
from bench.peers.setup import Peer
from bench.plan import Plan
from bench.server import IN_FLIGHT, Server

NAME = "handshakes"
STORM = "full, 100 in flight"
AT_ONCE = "until all at once are secured"

_TICKET_POLLS = 20
_RESUMED_WITHIN = 5.0


MUTUAL = Pins()


@dataclass(frozen=True)
class Kind:
    """One kind of handshake."""

    case: str
    in_flight: int = IN_FLIGHT
    pins: Pins = MUTUAL
    resumed: bool = False


KINDS = (
    Kind(STORM),
    Kind("full, serial", in_flight=1),
    Kind("resumed, 100 in flight", resumed=True),
    Kind("full, without client certificate", pins=Pins(client_certificate=False)),
    Kind("resumed, without client certificate", pins=Pins(client_certificate=False), resumed=True),
    Kind("full, X25519MLKEM768", pins=Pins(group=HYBRID)),
)


def tasks(plan: Plan, peers: Iterable[Peer]) -> Iterator[Task]:
    """Return a task for each combination of pins and each peer."""
    for pins in dict.fromkeys(kind.pins for kind in KINDS):
        kinds = [kind for kind in KINDS if kind.pins == pins]
        at_once = [AT_ONCE] if pins == MUTUAL else []
        cases = [*(kind.case for kind in kinds), *at_once]
        for peer in peers:
            yield of_server(
                NAME, cases, peer, max(plan.handshakes, plan.at_once),
                _measured(plan, kinds, bool(at_once)), pins,
            )  # fmt: skip


def _measured(plan: Plan, kinds: Sequence[Kind], at_once: bool) -> Callable[[Server], Found]:
    def measured(server: Server) -> Found:
        first = kinds[0]
        server.open(max(1, plan.handshakes // 10), first.pins).close()
        for kind in kinds:
            if not kind.resumed:
                yield kind.case, _cost(server, plan.handshakes, kind, None)
        if at_once:
            yield AT_ONCE, _time_at_once(server, plan.at_once)
        for kind in kinds:
            if kind.resumed:
                yield kind.case, _cost(server, plan.handshakes, kind, _session(server, kind.pins))

    return measured


def _cost(server: Server, count: int, kind: Kind, session: Any) -> dict[str, float]:
    before = server.cpu_when_idle()
    opened = server.open(count, kind.pins, kind.in_flight, session)
    try:
        used = server.cpu_when_idle() - before
        server.prove(opened)
        if kind.resumed and not all(_reused(each.tls) for each in opened.connections):
            raise NotInstalled("it does not resume a session more than once")
    finally:
        opened.close()
    return {"cpu_ms_a_handshake": used / count * 1e3, "seconds": opened.seconds}


def _time_at_once(server: Server, count: int) -> dict[str, float]:
    # Each says a byte with its last flight; when all have come through, all are secured.
    before, began = server.sink.received, server.cpu_when_idle()
    opened = server.open(count, in_flight=count, on_secured=lambda each: each.send(b"x"))
    try:
        server.wait_for(before + count)
        return {
            "seconds_until_all": server.sink.read().last - opened.began,
            "cpu_ms_a_handshake": (server.cpu_when_idle() - began) / count * 1e3,
        }
    finally:
        opened.close()


def _reused(tls: SSL.Connection) -> bool:
    return bool(SSL._lib.SSL_session_reused(tls._ssl))  # type: ignore[attr-defined]


def _session(server: Server, pins: Pins) -> Any:
    """Return a session that was resumed once; raises NotInstalled if the peer does not resume."""
    opened = server.open(1, pins)
    try:
        session = _ticket_of(server, opened.connections[0])
    finally:
        opened.close()
    try:
        opened = server.open(1, pins, session=session, within=_RESUMED_WITHIN)
    except CannotMeasure as problem:
        raise NotInstalled(f"it fails to resume a session: {problem}") from None
    try:
        if not _reused(opened.connections[0].tls):
            raise NotInstalled("it does not resume sessions")
    finally:
        opened.close()
    return session


def _ticket_of(server: Server, connection: Connection) -> Any:
    before = server.sink.received
    connection.send(b"x")
    server.wait_for(before + 1)
    # The tickets are sent before the byte is passed on, and have arrived, or there are none.
    for _ in range(_TICKET_POLLS):
        connection.read()
        time.sleep(0.002)
    return connection.tls.get_session()
