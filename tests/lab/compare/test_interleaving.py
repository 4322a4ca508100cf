from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.interleaving import interleaved_runs


class InterleavedRuns(SynchronousTestCase):
    def order(self, modes: list[str], environments: list[str], rounds: int) -> str:
        return " ".join(
            f"{each.round}{each.mode}-{each.environment}"
            for each in interleaved_runs(modes, environments, rounds)
        )

    def test_in_one_environment_the_modes_run_one_after_the_other(self) -> None:
        self.assertEqual(self.order(["a", "b"], ["base"], 1), "1a-base 1b-base")

    def test_in_one_environment_every_second_round_goes_through_the_modes_backwards(self) -> None:
        self.assertEqual(
            self.order(["a", "b"], ["base"], 3), "1a-base 1b-base 2b-base 2a-base 3a-base 3b-base"
        )

    def test_every_second_round_goes_through_the_environments_backwards(self) -> None:
        self.assertEqual(
            self.order(["a"], ["base", "other"], 3),
            "1a-base 1a-other 2a-other 2a-base 3a-base 3a-other",
        )

    def test_the_runs_of_a_mode_in_all_environments_are_adjacent(self) -> None:
        self.assertEqual(
            self.order(["a", "b"], ["x", "y", "z"], 2),
            "1a-x 1a-y 1a-z 1b-x 1b-y 1b-z 2a-z 2a-y 2a-x 2b-z 2b-y 2b-x",
        )
