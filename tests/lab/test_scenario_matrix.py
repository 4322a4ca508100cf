"""The matrix: its cells, and that a connection goes the same way when it is made again."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.trial.unittest import SynchronousTestCase

from tests.lab.laboratories import LaboratoryCase, cell, laboratory
from tlsdemo.lab import foreign_run as foreign
from tlsdemo.lab import scenario_matrix as matrix
from tlsdemo.lab.laboratory import RUN_TIMEOUT, Cell, GivenUp
from tlsdemo.lab.scenario_matrix import Selection, observe, why_not
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.lab.stacks.stack_process import RunningStack, StackFailed


class Selections(SynchronousTestCase):
    def names(self, **wanted: Any) -> list[tuple[str, str, str, str]]:
        cells = Selection(**wanted).cells()
        return [(each.mode, each.tls, each.scenario.name, each.peer) for each in cells]

    def test_the_default_is_every_scenario_in_every_mode_and_version(self) -> None:
        ours = [scenario for scenario in SCENARIOS.values() if not scenario.s_client_command]
        names = [name for name in self.names() if name[3] == "tlsdemo"]
        self.assertEqual(len(set(names)), len(ours) * len(matrix.MODES) * 2)

    def test_other_stacks_are_servers_only_in_the_scenarios_in_which_they_differ(self) -> None:
        wanted = {"modes": ("pair",), "tls": ("1.3",), "peers": ("twisted-pair",)}
        self.assertEqual(
            self.names(scenarios=("ok", "resumed"), **wanted),
            [
                ("pair", "1.3", "ok", "tlsdemo"),
                ("pair", "1.3", "resumed", "tlsdemo"),
                ("starttls", "1.3", "ok", "twisted-pair"),
            ],
        )

    def test_s_client_is_the_client_where_it_has_to_be_given_a_command(self) -> None:
        names = self.names(modes=("pair",), scenarios=("KeyUpdate",), tls=("1.3",))
        self.assertNotIn("tlsdemo", [peer for *_, peer in names])


class ImpossibleCells(SynchronousTestCase):
    def test_each_has_a_reason(self) -> None:
        for each, why in {
            cell("injection behind the request", "wrapped"): "there is no negotiation before TLS",
            cell("injection behind the request", "pair"): "",
            cell("ok"): "",
            cell("resumed", peer="twisted-pair"): "other stacks are not run in this scenario",
            cell("KeyUpdate", peer="twisted-pair"): "other stacks are not run in this scenario",
            cell("ok", peer="twisted-pair"): "",
        }.items():
            self.assertEqual(why_not(each), why, each)


class ProgramsStartedAhead(SynchronousTestCase):
    def test_wait_for_as_long_as_the_connections_before_their_own_may_take(self) -> None:
        configs: list[StackConfig] = []
        self.patch(foreign, "start_stack", lambda reactor, name, config: configs.append(config))
        foreign.start(laboratory(), cell("ok", peer="twisted-pair"))
        self.assertGreater(configs[0].timeout, (matrix.AHEAD + 1) * RUN_TIMEOUT)


class TheMatrix(LaboratoryCase):
    async def test_each_cell_is_announced_and_an_impossible_one_has_a_reason(self) -> None:
        announced: list[Cell] = []
        cells = Selection(("wrapped",), ("1.3",), ("ok", "injection behind the request")).cells()
        ok, none = await observe(laboratory(), cells, 1, announced.append)
        self.assertEqual(announced, cells)
        self.assertEqual((ok.reason, len(ok.traces)), ("", 1))
        self.assertEqual((none.reason, none.traces), ("there is no negotiation before TLS", []))


class PrestartedPrograms(LaboratoryCase):
    def setUp(self) -> None:
        self.started: list[Deferred[RunningStack]] = []
        self.running: list[RunningStack] = []
        start = foreign.start

        def starting(*arguments: Any) -> Deferred[RunningStack]:
            self.started.append(start(*arguments).addCallback(self._listens))
            return self.started[-1]

        self.patch(foreign, "start", starting)
        self.cells = Selection((), ("1.3",), ("ok",), ("twisted-starttls",) * 4).cells()

    def _listens(self, stack: RunningStack) -> RunningStack:
        self.running.append(stack)
        return stack

    async def test_every_program_is_used(self) -> None:
        observations = await observe(laboratory(), self.cells[:2], 1)
        self.assertEqual([each.race for each in observations], [False, False])
        self.assertEqual(len(self.started), 2)

    async def test_programs_that_are_not_used_are_ended(self) -> None:
        taken: list[Deferred[RunningStack]] = []

        async def failing(_lab: Any, _cell: Cell, started: Deferred[RunningStack]) -> None:
            taken.append(started)
            raise GivenUp("this one")

        self.patch(matrix, "run_foreign", failing)
        with self.assertRaisesRegex(GivenUp, "^this one$"):
            await observe(laboratory(), self.cells[:3], 1)
        # The run that takes a program has to end it.
        stack = await taken[0]
        stack.kill()
        with self.assertRaises(StackFailed):
            await stack.ended
        self.assertEqual([each.ended.called for each in self.running], [True] * 3)

    async def test_a_program_that_does_not_start_is_reported(self) -> None:
        problem = StackFailed("the peer x did not start: y")
        self.patch(foreign, "start", lambda *_: fail(problem))
        with self.assertRaisesRegex(GivenUp, "ok: the peer x did not start: y$"):
            await observe(laboratory(), self.cells[:2], 1)
