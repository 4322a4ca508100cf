"""What is not ours to bound is bounded at the edge of the log."""

from __future__ import annotations

import io

from twisted.internet.task import Clock
from twisted.logger import LogEvent, Logger, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.bounded_log import LONGEST, MOST, BoundedLog, printable_log

CHATTY = "twisted.internet.tcp.Port"


class BoundedLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        self.log = BoundedLog(self.observe, self.clock.seconds)  # type: ignore[arg-type]

    def observe(self, event: LogEvent) -> None:
        self.lines.append(str(formatEvent(event)))

    def say(self, namespace: str, times: int) -> int:
        """Log so many lines, and return how many of them were passed on."""
        logger = Logger(namespace, observer=self.log)
        self.lines.clear()
        for number in range(times):
            logger.info("line {number}", number=number)
        return len(self.lines)

    def test_so_many_lines_a_second_are_passed_on(self) -> None:
        self.assertEqual(self.say(CHATTY, 3 * MOST), MOST)
        self.assertEqual(self.say(CHATTY, 1), 0)
        self.clock.advance(1)
        self.assertEqual(self.say(CHATTY, MOST) - 1, MOST)

    def test_those_left_out_are_counted_in_a_line(self) -> None:
        self.say(CHATTY, MOST + 7)
        self.clock.advance(1)
        self.say("another", 1)
        self.assertEqual(self.lines, [f"7 more lines of {CHATTY} were not logged", "line 0"])
        self.clock.advance(1)
        self.assertEqual(self.say("another", 1), 1)

    def test_one_namespace_does_not_silence_another(self) -> None:
        self.say(CHATTY, 3 * MOST)
        self.assertEqual(self.say("another", 1), 1)

    def test_our_own_lines_are_bounded_elsewhere(self) -> None:
        self.assertEqual(self.say("tlsdemo", 3 * MOST), 3 * MOST)

    def test_events_without_a_namespace_are_bounded_too(self) -> None:
        for _ in range(2 * MOST):
            self.log({"log_format": "x"})
        self.assertEqual(len(self.lines), MOST)


class PrintableLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.logger = Logger("x", observer=printable_log(self.stream))

    def test_an_event_is_a_line(self) -> None:
        self.logger.info("it {how}", how="works")
        self.assertRegex(self.stream.getvalue(), r"^\d{4}-\S+ \[x#info\] it works\n$")

    def test_an_event_without_text_is_nothing(self) -> None:
        self.logger.info("")
        self.assertEqual(self.stream.getvalue(), "")

    def test_control_characters_are_escaped(self) -> None:
        self.logger.info("{text}", text="a\r\x1b[2Kb\u2028c\x85d\n2026-11-25T00:00:00 FORGED")
        first, second, rest = self.stream.getvalue().split("\n")
        self.assertTrue(first.endswith(r"a\r\x1b[2Kb\u2028c\x85d"))
        self.assertEqual((second, rest), ("\t2026-11-25T00:00:00 FORGED", ""))

    def test_a_traceback_is_indented_and_printable(self) -> None:
        failure = Failure(ValueError(f"\x1b[31m\n2026 FORGED\n{'x' * 9000}"))
        self.logger.failure("oh", failure)
        first, *others, rest = self.stream.getvalue().split("\n")
        self.assertEqual(rest, "")
        self.assertIn("\t2026 FORGED", others)
        for line in (first, *(each.removeprefix("\t") for each in others)):
            self.assertTrue(line.isprintable(), line)
            self.assertLess(len(line), LONGEST + 100)
        self.assertTrue(all(line.startswith("\t") for line in others))
