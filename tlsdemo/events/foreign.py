"""A connection in the laboratory of which one end is a program of another ecosystem."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from tlsdemo.events.laboratory import Cell, GivenUp, Laboratory, Run
from tlsdemo.events.ways import Does, Shown, Way, inapplicable
from tlsdemo.peers.catalogue import PEERS, Role
from tlsdemo.peers.config import Auth, PeerConfig
from tlsdemo.peers.config import Way as PeerWay
from tlsdemo.peers.peer import PeerFailed, RunningPeer, start_peer
from tlsdemo.secure import MODES, ModeName
from tlsdemo.timeline import Event
from tlsdemo.trace import End, Mark, Trace
from tlsdemo.upgrade.immediate import ImmediateServer

BESIDE_OURS = (
    "ok",
    "client certificate missing",
    "untrusted server",
    "no ALPN in common",
    "garbage",
    "EOF during the handshake",
    "EOF after the handshake",
    "RST",
    "server writes first",
    "closed by the server",
)
"""The ways in which foreign servers are shown: those in which the ecosystems differ."""

TYPED = {"K": PeerWay.KEY_UPDATE, "R": PeerWay.RENEGOTIATION}


def why_not(cell: Cell) -> str:
    """Return why there is no such connection, or ``""``."""
    peer, way = PEERS[cell.peer], cell.way
    unavailable = peer.availability().reason
    if unavailable:
        return unavailable
    if (peer.role is Role.CLIENT) != bool(way.keys):
        return "not among the ways that are shown with a foreign server"
    if peer.role is Role.SERVER and way.name not in BESIDE_OURS:
        return "not among the ways that are shown with a foreign server"
    return inapplicable(way, cell.tls, has_words=False)


def start(lab: Laboratory, cell: Cell, port: int = 0) -> Deferred[RunningPeer]:
    """Start the program that is one end of ``cell``; a client connects to ``port``."""
    return start_peer(lab.reactor, cell.peer, _config(lab, cell, port))


async def run_foreign(
    lab: Laboratory, cell: Cell, started: Deferred[RunningPeer] | None = None
) -> Trace:
    """Make the connection of ``cell``, and return what was seen of it.

    ``started`` is a server's program that was started beforehand.  Raises
    :class:`~tlsdemo.events.laboratory.GivenUp` if the connection does not come to its end.
    """
    try:
        if PEERS[cell.peer].role is Role.CLIENT:
            return await _ForeignRun(lab, cell).with_client(lab)
        return await _ForeignRun(lab, cell).with_server(lab, await (started or start(lab, cell)))
    except PeerFailed as problem:
        raise GivenUp(f"{cell}: {problem}") from None


class _ForeignRun(Run):
    """One connection."""

    async def with_server(self, lab: Laboratory, peer: RunningPeer) -> Trace:
        assert peer.port is not None
        client = self.our_end(
            End.CLIENT, MODES[ModeName.STARTTLS], lab.client_tls(self.cell), ImmediateServer()
        )
        await self.connect(self.relay_to(peer.port), client)
        await self._finish(peer, End.SERVER, client.party.over)
        return self.trace

    async def with_client(self, lab: Laboratory) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, lab.server_tls(self.cell), ImmediateServer())
        port = self.relay_to(self.listen(server.factory))
        peer = await start(lab, self.cell, port)
        await self._finish(peer, End.CLIENT, server.party.over)
        return self.trace

    async def _finish(self, peer: RunningPeer, end: End, over: Deferred[None]) -> None:
        def abort() -> None:
            self.relay.reset()
            peer.kill()

        await self.until([over, self.relay.over, peer.ended], abort)
        for each in peer.events:
            event = Event(each.name, max(each.at - self.began, 0.0), each.facts)
            self.trace.seen.append(Mark(end, event))


def _config(lab: Laboratory, cell: Cell, port: int) -> PeerConfig:
    way = cell.way
    is_client = PEERS[cell.peer].role is Role.CLIENT
    end, side = (End.CLIENT, way.client) if is_client else (End.SERVER, way.server)
    shown = lab.certificates.credentials(end, side.shows)
    version = f"TLSv{cell.tls}"
    return PeerConfig(
        certificate=None if side.shows is Shown.NONE else str(shown.certificate),
        key=None if side.shows is Shown.NONE else str(shown.key),
        authority=str(shown.authority),
        client_auth=Auth.REQUIRED if way.client_certificate_wanted else Auth.NONE,
        minimum=version,
        maximum=version,
        alpn=side.alpn,
        way=_peer_way(way),
        port=port,
    )


def _peer_way(way: Way) -> PeerWay:
    if way.keys:
        return TYPED[way.keys]
    if way.speaks is End.SERVER:
        return PeerWay.SERVER_FIRST
    if way.ends is End.SERVER and way.does is Does.CLOSE:
        return PeerWay.SERVER_CLOSES
    return PeerWay.ECHO
