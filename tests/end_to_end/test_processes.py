"""The helpers that run processes."""

from __future__ import annotations

import sys

from tests.end_to_end.processes import ProcessCase

MUCH = 1 << 20


class Output(ProcessCase):
    def test_that_is_not_waited_for_does_not_block_the_process(self) -> None:
        command = self.start(
            *(sys.executable, "-c"),
            f"print('x' * {MUCH}); open('done', 'w').close(); print('done')",
        )
        # A pipe that is not read takes 64 KiB, then the writer blocks.
        command.wait_unread()
        self.assertTrue((self.home / "done").exists())
        self.assertEqual(command.wait(), 0)
        self.assertEqual(command.output, f"{'x' * MUCH}\ndone\n")

    def test_is_kept_up_to_the_line_that_was_waited_for(self) -> None:
        command = self.start(sys.executable, "-c", "print('one'); print('two'); print('three')")
        self.assertEqual(command.wait_for_line("t(.)o")[1], "w")
        self.assertEqual(command.output, "one\ntwo\n")
        command.wait()
        self.assertEqual(command.output, "one\ntwo\nthree\n")
