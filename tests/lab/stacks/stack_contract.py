"""What holds for each peer, whatever its ecosystem calls its events."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.lab.stacks import stdlib_clients as clients
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stack_process import RunningStack, StackEvent, start_stack


class PeerCase(TestCase):
    """Runs one peer with one client, and looks at the events.

    Where the peer is not available, the reason is what each test demands instead.
    """

    peer: str
    timeout = 30

    events: list[StackEvent]
    got: object

    @property
    def available(self) -> bool:
        reason = STACKS[self.peer].availability().reason
        if reason is not None:
            self.assertRegex(reason, r"^(there is no node|StreamWriter.start_tls|tls.createSec)")
        return reason is None

    async def run_with(self, client: clients.Client, config: StackConfig) -> bool:
        """Return whether there was something to run."""
        if not self.available:
            return False
        began = time.monotonic()
        running: RunningStack = await start_stack(reactor, self.peer, config)
        self.addCleanup(running.kill)
        talking: Deferred[Any] = deferToThread(client, running.port)
        self.got = await talking
        self.events = await running.ended
        ended = time.monotonic()
        self.assertEqual(running.errors, "")
        times = [event.at for event in self.events]
        self.assertEqual([began, *times, ended], sorted([began, *times, ended]))
        self.assertNotIn("timed out", self.names)
        return True

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events]

    def event(self, name: str) -> StackEvent:
        return next(event for event in self.events if event.name == name)

    def text(self, name: str) -> str:
        return str(self.event(name).facts.get("text"))

    def assert_secured(self, secured: bool) -> None:
        self.assertEqual(self.names.count(STACKS[self.peer].secured), int(secured), self.names)


class PeerContract:
    """Mixed in with :class:`PeerCase`."""

    async def test_it_echoes_and_ends_with_its_client(self: Any) -> None:
        if await self.run_with(clients.echoed, clients.config()):
            self.assertEqual(self.got, b"hello")
            self.assert_secured(True)
            facts = self.event(STACKS[self.peer].secured).facts
            self.assertEqual((facts["peer"], facts["alpn"]), (False, "http/1.1"))
            self.ok()

    async def test_it_sees_the_clients_certificate(self: Any) -> None:
        if await self.run_with(clients.echoed_with_certificate, clients.demanding()):
            self.assertEqual(self.got, b"hello")
            self.assert_secured(True)
            self.assertIs(self.event(STACKS[self.peer].secured).facts["peer"], True)

    async def test_it_refuses_a_client_without_certificate(self: Any) -> None:
        if await self.run_with(clients.without_certificate, clients.demanding()):
            self.assertNotEqual(self.got, b"hello")
            self.assert_secured(False)
            self.missing()

    async def test_it_takes_garbage(self: Any) -> None:
        if await self.run_with(clients.garbage, clients.config()):
            self.assert_secured(False)
            self.garbage()

    async def test_it_takes_an_end_in_the_handshake(self: Any) -> None:
        if await self.run_with(clients.ends_in_the_handshake, clients.config()):
            self.assert_secured(False)
            self.eof()

    async def test_it_takes_a_reset_in_the_handshake(self: Any) -> None:
        if await self.run_with(clients.resets_in_the_handshake, clients.config()):
            self.assert_secured(False)
            self.reset()

    async def test_it_can_write_first(self: Any) -> None:
        if await self.run_with(clients.listens, clients.server_first()):
            self.assertEqual(self.got, b"hello")
            before = self.names.index("write called") < self.names.index(STACKS[self.peer].secured)
            self.assertEqual(before, self.writes_before_it_is_secure)

    async def test_it_can_close_first(self: Any) -> None:
        if await self.run_with(clients.waits_for_the_end, clients.server_closes()):
            self.assertEqual(self.got, [b"hello", b""])
