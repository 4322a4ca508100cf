"""A connection in the laboratory between tlsdemo and another TLS stack."""

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

WITH_OTHER_STACKS = (
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
"""The scenarios that are run with other stacks: those in which the stacks differ."""

PROGRAM_TIMEOUT = 300.0
"""Seconds after which a program of another stack ends by itself: it is started ahead, and has to
wait for the connections before its own, each of which may take `laboratory.RUN_TIMEOUT`."""


def why_not(cell: Cell) -> str:
    """Return why the connection of ``cell`` is not possible, or ``""``."""
    if cell.peer == s_client.NAME:
        return s_client.availability().reason or inapplicable(
            cell.scenario, cell.tls, negotiates=False
        )
    unavailable = STACKS[cell.peer].availability().reason
    if unavailable:
        return unavailable
    if cell.scenario.name not in WITH_OTHER_STACKS:
        return "other stacks are not run in this scenario"
    return ""


def start(lab: Laboratory, cell: Cell) -> Deferred[RunningStack]:
    """Start the server program of ``cell``."""
    return start_stack(lab.reactor, cell.peer, _config(lab, cell))


async def run_foreign(
    lab: Laboratory, cell: Cell, started: Deferred[RunningStack] | None = None
) -> Trace:
    """Make the connection of ``cell``, and return its trace.

    ``started`` is a server program that was started in advance.

    Raises:
        GivenUp: If the connection does not end, or the program fails.
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

    async def with_server(self, lab: Laboratory, stack: RunningStack) -> Trace:
        client = self.our_end(
            End.CLIENT, MODES[ModeName.STARTTLS], lab.client_tls(self.cell), ImmediateServer
        )
        connected = self.connect(self.relay_to(stack.port), client)
        await self._finish([connected, client.endpoint.over, stack.ended], stack.kill)
        self._add(End.SERVER, stack.events)
        return self.trace

    async def with_client(self, lab: Laboratory) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, lab.server_tls(self.cell), ImmediateServer)
        port = self.relay_to(self.listen(server.factory))
        authority, command = str(lab.certificates.authority), self.cell.scenario.s_client_command
        client = s_client.start_s_client(self.reactor, port, self.cell.tls, authority, command)
        await self._finish([server.endpoint.over, client.ended], client.kill)
        self._add(End.CLIENT, client.events)
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
    credentials = lab.certificates.credentials(End.SERVER, scenario.server.certificate)
    version = f"TLSv{cell.tls}"
    return StackConfig(
        certificate=str(credentials.certificate),
        key=str(credentials.key),
        authority=str(credentials.authority),
        client_auth=Auth.REQUIRED if scenario.client_certificate_required else Auth.NONE,
        minimum=version,
        maximum=version,
        alpn=scenario.server.alpn,
        script=_script(scenario),
        timeout=PROGRAM_TIMEOUT,
    )


def _script(scenario: Scenario) -> Script:
    if scenario.writes_first is End.SERVER:
        return Script.SERVER_FIRST
    if scenario.action_by is End.SERVER and scenario.action is Action.CLOSE:
        return Script.SERVER_CLOSES
    return Script.ECHO
