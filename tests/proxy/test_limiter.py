from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.limiter import ConnectionLimiter


class TheDoor(SynchronousTestCase):
    def test_lets_in_any_number_unless_told_otherwise(self) -> None:
        limiter = ConnectionLimiter()
        for _ in range(1000):
            self.assertIsNone(limiter.full_for("a"))
            limiter.enter("a")

    def test_lets_in_so_many_in_all(self) -> None:
        limiter = ConnectionLimiter(most=2)
        for host in ("a", "b"):
            self.assertIsNone(limiter.full_for(host))
            limiter.enter(host)
        self.assertEqual(limiter.full_for("c"), "there are 2 already")
        limiter.leave("a")
        self.assertIsNone(limiter.full_for("c"))
        limiter.enter("c")
        self.assertEqual(limiter.full_for("a"), "there are 2 already")

    def test_lets_in_so_many_of_one_host(self) -> None:
        limiter = ConnectionLimiter(most_of_one=2)
        for _ in range(2):
            self.assertIsNone(limiter.full_for("a"))
            limiter.enter("a")
        self.assertEqual(limiter.full_for("a"), "there are 2 already from there")
        self.assertIsNone(limiter.full_for("b"))
        limiter.leave("a")
        self.assertIsNone(limiter.full_for("a"))

    def test_remembers_no_host_that_has_left(self) -> None:
        limiter = ConnectionLimiter(most_of_one=2)
        for number in range(3):
            limiter.enter(str(number))
            limiter.enter("a")
            limiter.leave(str(number))
        self.assertEqual(list(limiter._inside), ["a"])
