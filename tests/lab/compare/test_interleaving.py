from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.interleaving import HERE, turns


class RoundRobin(SynchronousTestCase):
    def order(self, modes: list[str], places: list[str], rounds: int) -> str:
        return " ".join(
            f"{each.round}{each.mode}-{each.place}" for each in turns(modes, places, rounds)
        )

    def test_of_one_place_are_the_modes_one_after_the_other(self) -> None:
        self.assertEqual(self.order(["a", "b"], [HERE], 1), "1a-here 1b-here")

    def test_go_back_and_forth_between_the_places(self) -> None:
        self.assertEqual(
            self.order(["a"], [HERE, "there"], 3),
            "1a-here 1a-there 2a-there 2a-here 3a-here 3a-there",
        )

    def test_of_a_mode_in_all_places_are_beside_each_other(self) -> None:
        self.assertEqual(
            self.order(["a", "b"], ["x", "y", "z"], 2),
            "1a-x 1a-y 1a-z 1b-x 1b-y 1b-z 2a-z 2a-y 2a-x 2b-z 2b-y 2b-x",
        )
