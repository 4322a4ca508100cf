"""Connections with another stack at one end."""

from __future__ import annotations

import os

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.laboratories import LaboratoryCase, cell, laboratory
from tlsdemo.lab import laboratory as module
from tlsdemo.lab.foreign_run import WITH_OTHER_STACKS, run_foreign, start, why_not
from tlsdemo.lab.laboratory import GivenUp
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks import s_client
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import EventSequences


class ForeignRuns(SynchronousTestCase):
    def test_the_scenarios_with_other_stacks_exist(self) -> None:
        self.assertLessEqual(set(WITH_OTHER_STACKS), set(SCENARIOS))

    def test_a_stack_that_is_not_available_has_a_reason(self) -> None:
        self.patch(os, "environ", {**os.environ, "PATH": ""})
        self.assertEqual(
            why_not(cell("ok", peer="node-tlssocket")), "there is no node on the PATH that runs"
        )


class ForeignServers(LaboratoryCase):
    async def names(
        self, peer: str, scenario: str = "ok", close_reason: str = "closed"
    ) -> tuple[str, ...] | None:
        each = cell(scenario, peer=peer)
        if why_not(each):
            return None
        trace = await run_foreign(laboratory(), each)
        self.assertEqual(EventSequences.of(trace).client[-1].split()[0], close_reason)
        self.assertGreater(len(trace.arrows()), 1)
        self.assertTrue(all(mark.at >= 0 for mark in trace.marks(End.SERVER)))
        return EventSequences.of(trace).server

    async def test_a_node_server_emits_secure_and_never_secure_connect(self) -> None:
        names = await self.names("node-tlssocket")
        if names is None:
            reason = STACKS["node-tlssocket"].availability().reason
            self.assertEqual(reason, "there is no node on the PATH that runs")
        else:
            self.assertIn("secure", names)
            self.assertNotIn("secureConnect", names)

    async def test_an_asyncio_server_has_one_event_for_a_completed_handshake(self) -> None:
        names = await self.names("asyncio-start_tls")
        assert names is not None
        self.assertEqual(names.count(STACKS["asyncio-start_tls"].secured), 1, names)

    async def test_a_stock_twisted_server_does_not_complete_a_handshake_with_garbage(self) -> None:
        names = await self.names("twisted-starttls", "garbage", "insecure")
        assert names is not None
        self.assertNotIn("handshakeCompleted", names)

    async def test_a_server_can_write_first_and_close_first(self) -> None:
        for scenario in ("server writes first", "closed by the server"):
            names = await self.names("asyncio-start_tls", scenario)
            assert names is not None


class SClientRuns(LaboratoryCase):
    async def test_s_client_requests_new_keys_or_a_renegotiation(self) -> None:
        for scenario, tls in (("KeyUpdate", "1.3"), ("renegotiation", "1.2")):
            each = cell(scenario, "pair", tls, peer=s_client.NAME)
            trace = await run_foreign(laboratory(), each)
            names = [event.name for event in trace.marks(End.SERVER)]
            self.assertEqual(names.count("handshakeCompleted"), 1)
            typed = [event.name for event in trace.marks(End.CLIENT)]
            self.assertEqual(
                typed[:3], ["started", f"{each.scenario.s_client_command} typed", "question typed"]
            )


class StackPrograms(LaboratoryCase):
    async def test_a_program_that_does_not_end_in_time_is_killed(self) -> None:
        each = cell("ok", peer="twisted-pair", action=None)
        running = await start(laboratory(), each)
        self.patch(module, "RUN_TIMEOUT", 0.1)
        ready: Deferred[object] = Deferred()
        ready.callback(running)
        with self.assertRaisesRegex(GivenUp, "^starttls, TLS 1.3, ok: not over after 0.1 s$"):
            await run_foreign(laboratory(), each, ready)  # type: ignore[arg-type]
        # It has been waited for, so that no zombie is left.
        self.assertIsNotNone(running.process.child.returncode)

    async def test_a_program_that_ends_before_the_connection_is_reported_at_once(self) -> None:
        self.patch(module, "ABORT_TIMEOUT", 0.1)
        each = cell("ok", peer="twisted-pair")
        running = await start(laboratory(), each)
        running.kill()
        ready: Deferred[object] = Deferred()
        ready.callback(running)
        with self.assertRaisesRegex(GivenUp, "the peer twisted-pair failed: .*signal 9"):
            await run_foreign(laboratory(), each, ready)  # type: ignore[arg-type]

    async def test_cancelling_the_start_kills_the_program(self) -> None:
        starting = start(laboratory(), cell("ok", peer="twisted-pair"))
        starting.cancel()
        with self.assertRaises(CancelledError):
            await starting
        # It has no way to tell when it is gone but that the reactor does not wait for it.
        while reactor.getDelayedCalls():
            if all("_time_out" not in str(call) for call in reactor.getDelayedCalls()):
                break
            turn: Deferred[None] = Deferred()
            reactor.callLater(0.01, turn.callback, None)
            await turn
