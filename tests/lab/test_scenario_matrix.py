"""The matrix: which cells there are, and that the same connection goes the same way again."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.laboratories import LaboratoryCase, cell, laboratory
from tlsdemo.lab import foreign_run as foreign
from tlsdemo.lab import scenario_matrix as matrix
from tlsdemo.lab.laboratory import Cell, GivenUp
from tlsdemo.lab.scenario_matrix import Selection, look, why_not
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks.stack_process import RunningStack, StackFailed


class ASelection(SynchronousTestCase):
    def names(self, **wanted: Any) -> list[tuple[str, str, str, str]]:
        cells = Selection(**wanted).cells()
        return [(each.mode, each.tls, each.scenario.name, each.peer) for each in cells]

    def test_is_every_way_in_every_mode_and_version(self) -> None:
        ours = [scenario for scenario in SCENARIOS.values() if not scenario.keys]
        names = [name for name in self.names() if name[3] == "tlsdemo"]
        self.assertEqual(len(set(names)), len(ours) * 3 * 2)

    def test_has_foreign_servers_only_in_the_ways_in_which_they_differ(self) -> None:
        wanted = {"modes": ("pair",), "tls": ("1.3",), "peers": ("twisted-pair",)}
        self.assertEqual(
            self.names(scenarios=("ok", "resumed"), **wanted),
            [
                ("pair", "1.3", "ok", "tlsdemo"),
                ("pair", "1.3", "resumed", "tlsdemo"),
                ("starttls", "1.3", "ok", "twisted-pair"),
            ],
        )

    def test_has_a_foreign_client_where_keys_are_typed(self) -> None:
        names = self.names(modes=("pair",), scenarios=("KeyUpdate",), tls=("1.3",))
        self.assertNotIn("tlsdemo", [peer for *_, peer in names])


class WhatThereIsNot(SynchronousTestCase):
    def test_is_said_why(self) -> None:
        for each, why in {
            cell("injection behind the request", "wrapped"): "nothing is said before TLS",
            cell("injection behind the request", "pair"): "",
            cell("ok"): "",
            cell("resumed", peer="twisted-pair"): "not among the ways that are shown with a "
            "foreign server",
            cell("KeyUpdate", peer="twisted-pair"): "not among the ways that are shown with a "
            "foreign server",
            cell("ok", peer="twisted-pair"): "",
        }.items():
            self.assertEqual(why_not(each), why, each)


HANDFUL = (
    "ok", "resumed", "client certificate missing", "garbage", "EOF during the handshake",
    "EOF after the handshake", "RST", "rejected by the server's application",
    "rejected by the client's application", "closed by the server",
)  # fmt: skip


class TheMatrix(LaboratoryCase):
    async def test_has_the_same_order_twice_in_every_cell(self) -> None:
        cells = Selection(scenarios=HANDFUL).cells()
        first, again = [await look(laboratory(), cells) for _ in range(2)]
        self.assertEqual(len(first), len(HANDFUL) * 6)
        for one, other in zip(first, again, strict=True):
            self.assertFalse(one.race or other.race, (one.mode, one.tls, one.scenario))
            self.assertEqual(one.sequences, other.sequences)

    async def test_tells_of_each_cell_and_says_why_there_is_none(self) -> None:
        told: list[Cell] = []
        cells = Selection(("wrapped",), ("1.3",), ("ok", "injection behind the request")).cells()
        ok, none = await look(laboratory(), cells, 1, told.append)
        self.assertEqual(told, cells)
        self.assertEqual((ok.reason, len(ok.traces)), ("", 1))
        self.assertEqual((none.reason, none.traces), ("nothing is said before TLS", []))


class ProgramsStartedAhead(LaboratoryCase):
    def setUp(self) -> None:
        self.started: list[Deferred[RunningStack]] = []
        self.running: list[RunningStack] = []
        start = foreign.start

        def starting(*arguments: Any) -> Deferred[RunningStack]:
            self.started.append(start(*arguments).addCallback(self._listens))
            return self.started[-1]

        self.patch(foreign, "start", starting)
        self.cells = Selection((), ("1.3",), ("ok",), ("twisted-starttls",) * 4).cells()

    def _listens(self, peer: RunningStack) -> RunningStack:
        self.running.append(peer)
        return peer

    async def test_are_all_used(self) -> None:
        observations = await look(laboratory(), self.cells[:2], 1)
        self.assertEqual([each.race for each in observations], [False, False])
        self.assertEqual(len(self.started), 2)

    async def test_are_ended_if_nobody_uses_them(self) -> None:
        taken: list[Deferred[RunningStack]] = []

        async def failing(_lab: Any, _cell: Cell, started: Deferred[RunningStack]) -> None:
            taken.append(started)
            raise GivenUp("this one")

        self.patch(matrix, "run_foreign", failing)
        with self.assertRaisesRegex(GivenUp, "^this one$"):
            await look(laboratory(), self.cells[:3], 1)
        # Who takes one sees to its end.
        peer = await taken[0]
        peer.kill()
        with self.assertRaises(StackFailed):
            await peer.ended
        self.assertEqual([each.ended.called for each in self.running], [True] * 3)

    async def test_that_do_not_start_are_given_up(self) -> None:
        problem = StackFailed("the peer x did not start: y")
        self.patch(foreign, "start", lambda *_: fail(problem))
        with self.assertRaisesRegex(GivenUp, "ok: the peer x did not start: y$"):
            await look(laboratory(), self.cells[:2], 1)
