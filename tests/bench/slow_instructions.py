"""That a count of instructions tells a slowdown of one per cent, whatever else the machine does."""

from __future__ import annotations

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from bench.instructions import COUNTS, CannotCount, compare, count, least, valgrind_version


class InstructionsTests(SynchronousTestCase):
    def setUp(self) -> None:
        try:
            valgrind_version()
        except CannotCount as missing:
            raise SkipTest(str(missing)) from None

    def test_one_per_cent_more_fails(self) -> None:
        # An unlucky count has too much, so the least of several counts.
        baseline = least([count() for _ in range(COUNTS)])
        slower = count(slower=1.0)
        for part, instructions in baseline.items():
            self.assertFalse(compare({part: instructions}, slower).passed, part)
