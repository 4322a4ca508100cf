from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.server.door import Door


class TheDoor(SynchronousTestCase):
    def test_lets_in_any_number_unless_told_otherwise(self) -> None:
        door = Door()
        for _ in range(1000):
            self.assertIsNone(door.full_for("a"))
            door.enter("a")

    def test_lets_in_so_many_in_all(self) -> None:
        door = Door(most=2)
        for host in ("a", "b"):
            self.assertIsNone(door.full_for(host))
            door.enter(host)
        self.assertEqual(door.full_for("c"), "there are 2 already")
        door.leave("a")
        self.assertIsNone(door.full_for("c"))
        door.enter("c")
        self.assertEqual(door.full_for("a"), "there are 2 already")

    def test_lets_in_so_many_of_one_host(self) -> None:
        door = Door(most_of_one=2)
        for _ in range(2):
            self.assertIsNone(door.full_for("a"))
            door.enter("a")
        self.assertEqual(door.full_for("a"), "there are 2 already from there")
        self.assertIsNone(door.full_for("b"))
        door.leave("a")
        self.assertIsNone(door.full_for("a"))

    def test_remembers_no_host_that_has_left(self) -> None:
        door = Door(most_of_one=2)
        for number in range(3):
            door.enter(str(number))
            door.enter("a")
            door.leave(str(number))
        self.assertEqual(list(door._inside), ["a"])
