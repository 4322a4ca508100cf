"""The output of ``make test``."""

from __future__ import annotations

import io
import re

from twisted.trial.unittest import SynchronousTestCase, TestDecorator

from tests.slowest import COLUMN, MOST, ModuleReporter


def module(name: str, tests: int, failures: int = 0) -> list[TestDecorator]:
    """Tests that look as if they were in a module, of which some fail."""

    class Sample(SynchronousTestCase):
        def test_it(self) -> None:
            """Nothing is wrong."""

        def test_wrong(self) -> None:
            self.fail("as meant")

        def test_broken(self) -> None:
            raise RuntimeError("as meant")

    Sample.__module__ = name
    Sample.__qualname__ = "Sample"
    wrong = ["test_wrong", "test_broken"]
    names = [*wrong[:failures], *["test_it"] * tests]
    # As trial does.
    return [TestDecorator(Sample(each)) for each in names]


class TheOutput(SynchronousTestCase):
    def printed(self, *tests: TestDecorator) -> list[str]:
        output = io.StringIO()
        reporter = ModuleReporter(output)
        for test in tests:
            test.run(reporter)
        reporter.done()
        # The errors that were meant are logged, and would fail this test.
        self.flushLoggedErrors(RuntimeError)
        return output.getvalue().splitlines()

    def test_has_a_line_for_each_module(self) -> None:
        lines = self.printed(*module("tests.test_one", 3), *module("tests.test_two", 12))
        for line, (name, count) in zip(
            lines, [("tests.test_one", 3), ("tests.test_two", 12)], strict=False
        ):
            self.assertRegex(line, rf"^{name} +{count} in +\d+\.\d s$")
            self.assertLess(len(line), 80)
            self.assertGreater(len(line), COLUMN)
        self.assertEqual(lines[2:4], ["", "The slowest tests:"])

    def test_names_at_most_the_slowest(self) -> None:
        lines = self.printed(*module("tests.test_one", 100))
        slow = [line for line in lines if re.match(r" *\d+\.\d\d s  tests\.test_one\.", line)]
        self.assertEqual(len(slow), MOST)

    def test_ends_with_the_line_that_is_counted(self) -> None:
        self.assertEqual(self.printed(*module("tests.test_one", 3))[-1], "PASSED (successes=3)")

    def test_says_below_a_module_what_failed(self) -> None:
        lines = self.printed(*module("tests.test_one", 1, failures=2), *module("tests.test_two", 1))
        self.assertRegex(lines[0], "^tests.test_one +3 in")
        self.assertEqual(
            lines[1:3],
            [
                "  failed: tests.test_one.Sample.test_wrong",
                "  failed: tests.test_one.Sample.test_broken",
            ],
        )
        self.assertRegex(lines[3], "^tests.test_two +1 in")
        self.assertEqual(lines[-1], "FAILED (failures=1, errors=1, successes=2)")

    def test_of_nothing_is_the_summary(self) -> None:
        self.assertEqual(self.printed()[-1], "PASSED")
