"""That the count repeats, and that it tells a slowdown of one per cent: five counts."""

from __future__ import annotations

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.instructions import CannotCount, compare, count, least, valgrind_version


class InstructionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        try:
            valgrind_version()
        except CannotCount as missing:
            raise SkipTest(str(missing)) from None

    def test_the_same_commit_repeats_and_one_per_cent_more_fails(self) -> None:
        first, again = (least([count(), count()]) for _ in range(2))
        slower = count(slower=1.0)
        for part, instructions in first.items():
            self.assertLess(abs(again[part] / instructions - 1), 0.002, part)
            self.assertFalse(compare({part: instructions}, slower).passed, part)
            # What is planted is about what is said.
            self.assertLess(slower[part] / instructions - 1, 0.02, part)
