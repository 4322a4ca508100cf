from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.printed import PrintingCase
from tests.reporting.load_results import run, window
from tlsdemo.cli.main import main


class Compare(PrintingCase):
    def write(self, *runs: dict[str, Any]) -> str:
        path = Path(self.mktemp())
        path.write_text(json.dumps({"schema": 1, "runs": runs}))
        return str(path)

    def measured(self, target: str, count: int) -> dict[str, Any]:
        found = run([window(count=count)], opening=None).as_json()
        return {**found, "target": target}

    def compared(self, *arguments: str, status: int = 0) -> str:
        returned, text = self.run_("compare", *arguments)
        self.assertEqual(returned, status)
        return text

    def test_compares_the_first_file_with_each_other(self) -> None:
        files = [self.write(self.measured("tcp:a", count)) for count in (500, 600, 700)]
        text = self.compared(*files)
        self.assertIn(f"{files[1]} (1 runs) beside {files[0]} (1 runs):\n", text)
        self.assertIn(f"{files[2]} (1 runs) beside {files[0]} (1 runs):\n", text)
        self.assertIn("+20.0%", text)
        self.assertIn("+40.0%", text)

    def test_compares_the_servers_of_one_file(self) -> None:
        targets = ["tcp:a", "tcp:b", "tcp:b", "tcp:a"] * 3
        counts = {"tcp:a": 500, "tcp:b": 400}
        runs = [self.measured(each, counts[each] + n % 3) for n, each in enumerate(targets)]
        file = self.write(*runs)
        text = self.compared(file, "--fail-if=handshakes/s<-5%", status=1)
        self.assertIn("tcp:b (6 runs) beside tcp:a (6 runs):\n", text)
        self.assertRegex(text, r"fail-if handshakes/s<-5%: FAILED, handshakes/s -(19|20)\.\d%\n")
        self.assertNotIn("note: the runs did not alternate", text)
        text = self.compared(file, "--fail-if=handshakes/s<-30%", "--fail-if=messages/s>+5%")
        self.assertEqual(text.count(": ok, "), 2)

    def test_it_writes_the_comparisons_as_json(self) -> None:
        targets = ["tcp:a", "tcp:b", "tcp:b", "tcp:a"] * 3
        counts = {"tcp:a": 500, "tcp:b": 400}
        file = self.write(*(self.measured(n, counts[n] + i % 3) for i, n in enumerate(targets)))
        path = Path(self.mktemp())
        text = self.compared(file, f"--json={path}", "--fail-if=handshakes/s<-5%", status=1)
        document = json.loads(path.read_text())
        self.assertEqual(document["schema"], 1)
        (comparison,) = document["comparisons"]
        self.assertEqual(comparison["baseline"], {"name": "tcp:a", "file": file, "runs": 6})
        self.assertEqual((comparison["paired"], comparison["confidence"]), (True, 0.97))
        figures = {each["name"]: each for each in comparison["figures"]}
        found = figures["handshakes/s"]
        self.assertEqual((found["verdict"], round(found["change"], 2)), ("worse", -0.2))
        self.assertLess(found["ratio"]["low"], found["ratio"]["value"])
        self.assertEqual(figures["p50(handshake)"]["verdict"], "noise")
        (limit,) = comparison["limits"]
        self.assertEqual((limit["limit"], limit["held"]), ("handshakes/s<-5%", False))
        self.assertIn(f"fail-if {limit['text']}\n", text)

    def test_of_one_run_each_json_has_no_verdict(self) -> None:
        files = [self.write(self.measured("tcp:a", count)) for count in (500, 600)]
        path = Path(self.mktemp())
        self.compared(*files, f"--json={path}")
        (comparison,) = json.loads(path.read_text())["comparisons"]
        verdicts = {each["verdict"] for each in comparison["figures"]}
        self.assertEqual((comparison["paired"], verdicts), (False, {"unknown"}))
        self.assertTrue(comparison["notes"])

    def test_every_problem_is_one_line(self) -> None:
        good = self.write(self.measured("tcp:a", 5))
        no_json = Path(self.mktemp())
        no_json.write_bytes(b"\xff\x00")
        for arguments, problem in (
            ((), "which files? A.json B.json"),
            ((good,), f"{good!r} has only one side; name another file"),
            ((good, "/nowhere"), "'/nowhere' cannot be read: No such file or directory"),
            ((good, str(no_json)), f"{str(no_json)!r} is not JSON"),
            ((good, self.write()), "has no results: it has no runs"),
            ((good, good, "--json=/nowhere/x"), "--json is '/nowhere/x', and that folder does"),
            ((good, good, "--json=/dev/full"), "--json is '/dev/full': No space left on device"),
            ((good, "--fail-if=x"), "--fail-if is 'x', no limit, such as handshakes/s<-5%"),
        ):
            message = self.refused(lambda each=arguments: main(["compare", *each]))  # type: ignore[misc]
            self.assertIn(problem, message)
