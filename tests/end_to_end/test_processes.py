"""The processes of the tests themselves."""

from __future__ import annotations

import sys

from tests.end_to_end.processes import ProcessCase

MUCH = 1 << 20


class Saying(ProcessCase):
    def test_what_nobody_waits_for_yet_holds_no_process_up(self) -> None:
        talker = self.start(
            *(sys.executable, "-c"),
            f"print('x' * {MUCH}); open('done', 'w').close(); print('done')",
        )
        # A pipe that nobody reads takes 64 KiB, then makes who writes to it wait.
        talker.waits()
        self.assertTrue((self.home / "done").exists())
        self.assertEqual(talker.ends(), 0)
        self.assertEqual(talker.said, f"{'x' * MUCH}\ndone\n")

    def test_a_line_is_waited_for_and_those_before_it_are_kept(self) -> None:
        talker = self.start(sys.executable, "-c", "print('one'); print('two'); print('three')")
        self.assertEqual(talker.says("t(.)o")[1], "w")
        self.assertEqual(talker.said, "one\ntwo\n")
        talker.ends()
        self.assertEqual(talker.said, "one\ntwo\nthree\n")
