"""A connection in the laboratory of which one end is a program of another ecosystem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.events.laboratory import Cell, GivenUp, Laboratory, Run
from tlsdemo.events.ways import Does, Way, inapplicable
from tlsdemo.peers import s_client
from tlsdemo.peers.catalogue import PEERS
from tlsdemo.peers.config import Auth, PeerConfig
from tlsdemo.peers.config import Way as PeerWay
from tlsdemo.peers.peer import PeerEvent, PeerFailed, RunningPeer, start_peer
from tlsdemo.secure import MODES, ModeName
from tlsdemo.timeline import Event
from tlsdemo.trace import End, Mark, Trace
from tlsdemo.upgrade.immediate import ImmediateServer

BESIDE_OURS = (
    "ok",
    "client certificate missing",
    "untrusted server",
    "ALPN only offered",
    "garbage",
    "EOF during the handshake",
    "EOF after the handshake",
    "RST",
    "server writes first",
    "closed by the server",
)
"""The ways in which foreign servers are shown: those in which the ecosystems differ."""


def why_not(cell: Cell) -> str:
    """Return why there is no such connection, or ``""``."""
    if cell.peer == s_client.NAME:
        return s_client.availability().reason or inapplicable(cell.way, cell.tls, has_words=False)
    unavailable = PEERS[cell.peer].availability().reason
    if unavailable:
        return unavailable
    if cell.way.name not in BESIDE_OURS:
        return "not among the ways that are shown with a foreign server"
    return ""


def start(lab: Laboratory, cell: Cell) -> Deferred[RunningPeer]:
    """Start the program that is the server of ``cell``."""
    return start_peer(lab.reactor, cell.peer, _config(lab, cell))


async def run_foreign(
    lab: Laboratory, cell: Cell, started: Deferred[RunningPeer] | None = None
) -> Trace:
    """Make the connection of ``cell``, and return what was seen of it.

    ``started`` is a server's program that was started beforehand.  Raises
    :class:`~tlsdemo.events.laboratory.GivenUp` if the connection does not come to its end.
    """
    run = _ForeignRun(lab, cell)
    if cell.peer == s_client.NAME:
        return await run.with_client(lab)
    try:
        return await run.with_server(lab, await (started or start(lab, cell)))
    except PeerFailed as problem:
        raise GivenUp(f"{cell}: {problem}") from None


class _ForeignRun(Run):
    """One connection."""

    async def with_server(self, lab: Laboratory, peer: RunningPeer) -> Trace:
        assert peer.port is not None
        client = self.our_end(
            End.CLIENT, MODES[ModeName.STARTTLS], lab.client_tls(self.cell), ImmediateServer()
        )
        connected = self.connect(self.relay_to(peer.port), client)
        await self._finish([connected, client.party.over, peer.ended], peer.kill)
        self._add(End.SERVER, peer.events)
        return self.trace

    async def with_client(self, lab: Laboratory) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, lab.server_tls(self.cell), ImmediateServer())
        port = self.relay_to(self.listen(server.factory))
        authority, way = str(lab.certificates.authority), self.cell.way
        peer = s_client.start_s_client(self.reactor, port, self.cell.tls, authority, way.keys)
        await self._finish([server.party.over, peer.ended], peer.kill)
        self._add(End.CLIENT, peer.events)
        return self.trace

    async def _finish(self, ends: Sequence[Deferred[Any]], kill: Callable[[], object]) -> None:
        def abort() -> None:
            self.relay.reset()
            kill()

        await self.until([*ends, self.relay.over], abort)

    def _add(self, end: End, events: Sequence[PeerEvent]) -> None:
        for each in events:
            event = Event(each.name, max(each.at - self.began, 0.0), each.facts)
            self.trace.seen.append(Mark(end, event))


def _config(lab: Laboratory, cell: Cell) -> PeerConfig:
    way = cell.way
    shown = lab.certificates.credentials(End.SERVER, way.server.shows)
    version = f"TLSv{cell.tls}"
    return PeerConfig(
        certificate=str(shown.certificate),
        key=str(shown.key),
        authority=str(shown.authority),
        client_auth=Auth.REQUIRED if way.client_certificate_wanted else Auth.NONE,
        minimum=version,
        maximum=version,
        alpn=way.server.alpn,
        way=_peer_way(way),
    )


def _peer_way(way: Way) -> PeerWay:
    if way.speaks is End.SERVER:
        return PeerWay.SERVER_FIRST
    if way.ends is End.SERVER and way.does is Does.CLOSE:
        return PeerWay.SERVER_CLOSES
    return PeerWay.ECHO
