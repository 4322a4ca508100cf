"""A connection in the laboratory of which one end is a program of another ecosystem."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.lab.laboratory import Cell, GivenUp, Laboratory, Run
from tlsdemo.lab.scenarios import Action, Scenario, inapplicable
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_config import Auth, Script, StackConfig
from tlsdemo.lab.stacks.stack_process import RunningStack, StackEvent, StackFailed, start_stack
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.tls import MODES, ModeName
from tlsdemo.trace.model import End, Mark, Trace
from tlsdemo.trace.timeline import Event

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
        return s_client.availability().reason or inapplicable(
            cell.scenario, cell.tls, negotiates=False
        )
    unavailable = STACKS[cell.peer].availability().reason
    if unavailable:
        return unavailable
    if cell.scenario.name not in BESIDE_OURS:
        return "not among the ways that are shown with a foreign server"
    return ""


def start(lab: Laboratory, cell: Cell) -> Deferred[RunningStack]:
    """Start the program that is the server of ``cell``."""
    return start_stack(lab.reactor, cell.peer, _config(lab, cell))


async def run_foreign(
    lab: Laboratory, cell: Cell, started: Deferred[RunningStack] | None = None
) -> Trace:
    """Make the connection of ``cell``, and return what was seen of it.

    ``started`` is a server's program that was started beforehand.  Raises
    :class:`~tlsdemo.lab.laboratory.GivenUp` if the connection does not come to its end.
    """
    run = _ForeignRun(lab, cell)
    if cell.peer == s_client.NAME:
        return await run.with_client(lab)
    try:
        return await run.with_server(lab, await (started or start(lab, cell)))
    except StackFailed as problem:
        raise GivenUp(f"{cell}: {problem}") from None


class _ForeignRun(Run):
    """One connection."""

    async def with_server(self, lab: Laboratory, peer: RunningStack) -> Trace:
        assert peer.port is not None
        client = self.our_end(
            End.CLIENT, MODES[ModeName.STARTTLS], lab.client_tls(self.cell), ImmediateServer()
        )
        connected = self.connect(self.relay_to(peer.port), client)
        await self._finish([connected, client.endpoint.over, peer.ended], peer.kill)
        self._add(End.SERVER, peer.events)
        return self.trace

    async def with_client(self, lab: Laboratory) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, lab.server_tls(self.cell), ImmediateServer())
        port = self.relay_to(self.listen(server.factory))
        authority, scenario = str(lab.certificates.authority), self.cell.scenario
        peer = s_client.start_s_client(
            self.reactor, port, self.cell.tls, authority, scenario.s_client_command
        )
        await self._finish([server.endpoint.over, peer.ended], peer.kill)
        self._add(End.CLIENT, peer.events)
        return self.trace

    async def _finish(self, ends: Sequence[Deferred[Any]], kill: Callable[[], object]) -> None:
        def abort() -> None:
            self.relay.reset()
            kill()

        await self.until([*ends, self.relay.over], abort)

    def _add(self, end: End, events: Sequence[StackEvent]) -> None:
        for each in events:
            event = Event(each.name, max(each.at - self.began, 0.0), each.facts)
            self.trace.seen.append(Mark(end, event))


def _config(lab: Laboratory, cell: Cell) -> StackConfig:
    scenario = cell.scenario
    shown = lab.certificates.credentials(End.SERVER, scenario.server.certificate)
    version = f"TLSv{cell.tls}"
    return StackConfig(
        certificate=str(shown.certificate),
        key=str(shown.key),
        authority=str(shown.authority),
        client_auth=Auth.REQUIRED if scenario.client_certificate_required else Auth.NONE,
        minimum=version,
        maximum=version,
        alpn=scenario.server.alpn,
        script=_script(scenario),
    )


def _script(scenario: Scenario) -> Script:
    if scenario.writes_first is End.SERVER:
        return Script.SERVER_FIRST
    if scenario.action_by is End.SERVER and scenario.action is Action.CLOSE:
        return Script.SERVER_CLOSES
    return Script.ECHO
