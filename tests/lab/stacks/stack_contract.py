"""What every stack's server has to do, whatever its ecosystem calls the events."""

from __future__ import annotations

import time
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from tests.lab.stacks import stack_configs as configs
from tests.lab.stacks import stdlib_clients as clients
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stack_process import RunningStack, StackEvent, start_stack


class StackCase(TestCase):
    """Runs the server of ``stack`` with one client, and collects the events.

    If the stack is not available here, each test checks the reason instead.
    """

    stack: str
    timeout = 30

    events: list[StackEvent]
    received: object

    @property
    def available(self) -> bool:
        reason = STACKS[self.stack].availability().reason
        if reason is not None:
            self.assertRegex(reason, r"^(there is no node|StreamWriter.start_tls|tls.createSec)")
        return reason is None

    async def run_with(self, client: clients.Client, config: StackConfig) -> bool:
        """Run ``client``; return False if the stack is not available."""
        if not self.available:
            return False
        began = time.monotonic()
        running: RunningStack = await start_stack(reactor, self.stack, config)
        self.addCleanup(running.kill)
        client_result: Deferred[Any] = deferToThread(client, running.port)
        self.received = await client_result
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
        self.assertEqual(self.names.count(STACKS[self.stack].secured), int(secured), self.names)


class StackContract:
    """The contract, mixed in with :class:`StackCase`.

    ``writes_before_it_is_secure``: whether the API permits that.  The methods ``check_…`` check
    the events under the names that the ecosystem gives them.
    """

    async def test_it_echoes_and_closes_with_its_client(self: Any) -> None:
        if await self.run_with(clients.echo, configs.config()):
            self.assertEqual(self.received, b"hello")
            self.assert_secured(True)
            facts = self.event(STACKS[self.stack].secured).facts
            self.assertEqual((facts["peer"], facts["alpn"]), (False, "http/1.1"))
            self.check_echo()

    async def test_it_sees_the_clients_certificate(self: Any) -> None:
        if await self.run_with(clients.echo_with_certificate, configs.requiring_a_certificate()):
            self.assertEqual(self.received, b"hello")
            self.assert_secured(True)
            self.assertIs(self.event(STACKS[self.stack].secured).facts["peer"], True)

    async def test_it_rejects_a_client_without_the_required_certificate(self: Any) -> None:
        if await self.run_with(clients.echo_or_error, configs.requiring_a_certificate()):
            self.assertNotEqual(self.received, b"hello")
            self.assert_secured(False)
            self.check_missing_certificate()

    async def test_it_survives_garbage_instead_of_a_client_hello(self: Any) -> None:
        if await self.run_with(clients.send_garbage, configs.config()):
            self.assert_secured(False)
            self.check_garbage()

    async def test_it_survives_a_fin_during_the_handshake(self: Any) -> None:
        if await self.run_with(clients.close_during_handshake, configs.config()):
            self.assert_secured(False)
            self.check_fin()

    async def test_it_survives_a_reset_during_the_handshake(self: Any) -> None:
        if await self.run_with(clients.reset_during_handshake, configs.config()):
            self.assert_secured(False)
            self.check_reset()

    async def test_it_can_write_first(self: Any) -> None:
        if await self.run_with(clients.read_only, configs.server_writes_first()):
            self.assertEqual(self.received, b"hello")
            secured = STACKS[self.stack].secured
            before = self.names.index("write called") < self.names.index(secured)
            self.assertEqual(before, self.writes_before_it_is_secure)

    async def test_it_can_close_first(self: Any) -> None:
        if await self.run_with(clients.read_until_closed, configs.server_closes()):
            self.assertEqual(self.received, [b"hello", b""])


class AsyncioStackContract(StackContract):
    """The contract, with the errors that ``start_tls`` raises."""

    writes_before_it_is_secure = False

    def check_missing_certificate(self: Any) -> None:
        self.assertIn("PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("start_tls raised"))

    def check_garbage(self: Any) -> None:
        self.assertIn("SSLError", self.text("start_tls raised"))

    def check_fin(self: Any) -> None:
        self.assertEqual(self.text("start_tls raised"), "ConnectionResetError")

    def check_reset(self: Any) -> None:
        self.assertIn("ConnectionResetError", self.text("start_tls raised"))


class TwistedStackContract(StackContract):
    """The contract, with Twisted's callbacks; ``start`` is the names of the events up to TLS."""

    writes_before_it_is_secure = True
    start: tuple[str, ...]

    def check_echo(self: Any) -> None:
        names = [name for name in self.names if not name.startswith("wire ")]
        secured = ("handshakeCompleted", "dataReceived", "connectionLost")
        self.assertEqual(names, [*self.start, *secured])
        self.assertTrue(self.text("connectionLost").startswith("ConnectionDone"))

    def check_missing_certificate(self: Any) -> None:
        self.assertEqual(self.names[-1], "connectionLost")
        self.assertIn("peer did not return a certificate", self.text("connectionLost"))

    def check_garbage(self: Any) -> None:
        self.assertIn("Error: [('SSL routines'", self.text("connectionLost"))

    def check_fin(self: Any) -> None:
        self.assertTrue(self.text("connectionLost").startswith("ConnectionLost"))

    def check_reset(self: Any) -> None:
        self.check_fin()
