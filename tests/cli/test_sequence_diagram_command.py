from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.refusals import RefusingCase
from tests.reporting.traces import upgraded
from tlsdemo.cli.main import main
from tlsdemo.net.child_process import environment
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text
from tlsdemo.trace.model import Trace, lines_of, traces_from

FIRST = "\n".join(lines_of(3, upgraded())) + "\n"
SECOND = "\n".join(lines_of(7, Trace("pair, TLS 1.3, ok"))) + "\n"


class SequenceDiagram(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)
        self.patch(os, "environ", {**os.environ, "COLUMNS": "90"})
        # What was written and read again: times are rounded on the way.
        self.traces = traces_from((FIRST + SECOND).splitlines())
        self.file = self.write("trace.jsonl", FIRST + SECOND)

    def write(self, name: str, content: str) -> str:
        path = Path(self.mktemp()).absolute()
        path.mkdir()
        (path / name).write_text(content, encoding="utf-8")
        return str(path / name)

    def drawn(self, *arguments: str) -> str:
        self.output.truncate(0)
        self.output.seek(0)
        self.assertEqual(main(["sequence-diagram", *arguments]), 0)
        return self.output.getvalue()

    def says(self, *arguments: str, status: int = 1) -> str:
        message = self.refused(lambda: main(["sequence-diagram", *arguments]), status)
        return message.removeprefix("tlsdemo sequence-diagram: ")

    def test_draws_the_connection_with_the_given_number(self) -> None:
        for number, trace in self.traces.items():
            self.assertEqual(self.drawn(self.file, f"--connection={number}"), text([trace], 90))
        self.assertEqual(self.errors.getvalue(), "")

    def test_draws_the_first_connection_by_default_and_says_so(self) -> None:
        self.assertEqual(self.drawn(self.file), text([self.traces[3]], 90))
        message = "tlsdemo sequence-diagram: drawing the first of 2; --list shows all\n"
        self.assertEqual(self.errors.getvalue(), message)

    def test_has_no_message_if_there_is_only_one_connection(self) -> None:
        self.drawn(self.write("one", SECOND))
        self.assertEqual(self.errors.getvalue(), "")

    def test_lists_the_connections(self) -> None:
        self.assertEqual(
            self.drawn(self.file, "--list"),
            "     3  starttls, TLS 1.2, ok  (17 rows)\n     7  pair, TLS 1.3, ok  (0 rows)\n",
        )

    def test_takes_options_before_the_file_and_after_it(self) -> None:
        expected = text([self.traces[7]], 90)
        self.assertEqual(self.drawn("--connection", "7", self.file), expected)
        self.assertEqual(self.drawn(self.file, "--connection", "7"), expected)

    def test_draws_another_connection_next_to_it(self) -> None:
        other = self.write("a:1", SECOND)
        both = text([self.traces[3], self.traces[7]], 90)
        for beside in (":7", f"{self.file}:7", other, f"{other}:7"):
            self.assertEqual(self.drawn(self.file, "--connection=3", "--beside", beside), both)

    def test_has_its_former_name_as_an_alias(self) -> None:
        expected = self.drawn(self.file, "--connection=7")
        self.output.truncate(0)
        self.output.seek(0)
        self.assertEqual(main(["waterfall", self.file, "--connection=7"]), 0)
        self.assertEqual(self.output.getvalue(), expected)

    def test_draws_a_page(self) -> None:
        expected = page([self.traces[3]])
        self.assertEqual(self.drawn(self.file, "--connection=3", "--format=html"), expected)

    def test_writes_html_to_a_file_with_that_extension(self) -> None:
        one = [self.traces[3]]
        for name, arguments, expected in (
            ("a.html", [], page(one)), ("a.HTM", [], page(one)), ("a.txt", [], text(one)),
            ("b.html", ["--format=text"], text(one)),
        ):  # fmt: skip
            path = Path(self.file).parent / name
            self.assertEqual(self.drawn(self.file, f"--output={path}", *arguments), "")
            self.assertEqual(path.read_text(encoding="utf-8"), expected)

    def test_reads_standard_input(self) -> None:
        self.patch(sys, "stdin", io.StringIO(SECOND))
        self.assertEqual(self.drawn("-"), text([self.traces[7]], 90))

    def test_ignores_a_last_line_that_a_server_is_still_writing(self) -> None:
        cut = self.write("cut", SECOND + FIRST[:30])
        self.assertEqual(self.drawn(cut), text([self.traces[7]], 90))

    def test_reads_a_last_line_without_an_end(self) -> None:
        self.assertEqual(self.drawn(self.write("one", FIRST[:-1])), text([self.traces[3]], 90))

    def test_reports_a_file_that_it_cannot_draw_in_one_line(self) -> None:
        nothing = self.write("nothing", "\n")
        garbage = self.write("garbage", "<html>\n")
        latin = self.write("latin", "")
        Path(latin).write_bytes(b"\xff\xfe")
        folder = str(Path(self.file).parent)
        for arguments, expected in {
            ("/nowhere/a",): "'/nowhere/a' cannot be read: No such file or directory",
            (folder,): f"{folder!r} cannot be read: Is a directory",
            (nothing,): f"{nothing!r} contains no connections",
            (latin,): f"{latin!r} is not a trace: it is not UTF-8",
            (self.file, "--connection=3", "--beside=/nowhere/b:7"):
                "'/nowhere/b' cannot be read: No such file or directory",
        }.items():  # fmt: skip
            self.assertEqual(self.says(*arguments), expected)
        nested = self.write("nested", "[" * 100_000)
        for name in (garbage, nested):
            self.assertIn("is not a trace: line 1 does not belong to a trace", self.says(name))

    def test_reports_a_file_that_it_cannot_write_in_one_line(self) -> None:
        folder = str(Path(self.file).parent)
        said = self.says(self.file, "--connection=3", f"--output={folder}", status=2)
        self.assertTrue(said.startswith(f"--output is {folder!r}, which is a folder"), said)
        said = self.says(self.file, "--connection=3", "--output=/dev/full", status=2)
        self.assertEqual(said, "--output is '/dev/full': No space left on device")
        said = self.says(self.file, "--list", "--format=html", status=2)
        self.assertTrue(said.startswith("--format is 'html', and --list draws nothing"), said)

    def test_reports_a_connection_that_does_not_exist(self) -> None:
        for arguments, expected in {
            ("--connection=4",): f"--connection is '4', and {self.file} has 3, 7",
            ("--connection=3", "--beside=:4"): f"--beside is ':4', and {self.file} has 3, 7",
        }.items():
            self.assertEqual(self.says(self.file, *arguments, status=2), expected)

    def test_names_only_some_of_many_connections(self) -> None:
        many = "".join(f"{line}\n" for n in range(20) for line in lines_of(n, Trace("t")))
        message = self.says(self.write("many", many), "--connection=99", status=2)
        self.assertTrue(message.endswith("has 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, ..."), message)

    def test_reports_invalid_options(self) -> None:
        hint = " (try: tlsdemo sequence-diagram --help)"
        for arguments, expected in {
            (): "0 files are given instead of one",
            ("a", "b"): "2 files are given instead of one",
            ("a", "--nonsense"): "option --nonsense not recognized",
            ("a", "--connection=x"): "--connection is 'x', not a whole number",
            ("a", "--format=pdf"): "--format is 'pdf', none of text, html",
        }.items():
            self.assertEqual(self.says(*arguments, status=2), expected + hint)


class SequenceDiagramInAPipe(RefusingCase):
    """In a process of its own, with a real standard output."""

    def start(self, **variables: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "tlsdemo", "sequence-diagram", "-"],
            env={**environment(), **variables},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def test_exits_without_an_error_if_the_reader_quits(self) -> None:
        with self.start() as process:
            assert process.stdout is not None
            process.stdout.close()
            process.stdout = None
            _, errors = process.communicate(FIRST.encode(), timeout=60)
        self.assertEqual((process.returncode, errors), (141, b""))

    def test_replaces_characters_that_the_terminal_does_not_have(self) -> None:
        with self.start(PYTHONIOENCODING="ascii") as process:
            output, errors = process.communicate(FIRST.encode(), timeout=60)
        self.assertEqual((process.returncode, errors), (0, b""))
        self.assertIn(b"handshakeCompleted", output)
