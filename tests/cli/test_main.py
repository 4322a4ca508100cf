from __future__ import annotations

import io
import subprocess
import sys

import tlsdemo
from tests.cli.refusals import RefusingCase
from tlsdemo.__main__ import main as entry_point
from tlsdemo.cli.main import main
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.net.child_process import environment


class Command(RefusingCase):
    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)

    def shown(self, *arguments: str) -> str:
        exit_ = self.assertRaises(SystemExit, main, arguments)
        self.assertEqual(exit_.code, 0)
        return self.output.getvalue()

    def test_it_returns_the_status_of_its_subcommand(self) -> None:
        parsed = []

        def run(options: RunOptions) -> int:
            parsed.append(options["conn"])
            return 7

        self.patch(RunOptions, "run", run)
        self.assertEqual(main(["run", "--conn=5"]), 7)
        self.assertEqual(parsed, [5])

    def test_it_reads_the_command_line(self) -> None:
        self.patch(RunOptions, "run", lambda _: 7)
        self.patch(sys, "argv", ["tlsdemo", "run"])
        self.assertEqual(main(), 7)

    def test_it_shows_its_version(self) -> None:
        self.assertEqual(self.shown("--version"), f"{tlsdemo.__version__}\n")

    def test_its_help_lists_the_subcommands_and_the_services(self) -> None:
        text = " ".join(self.shown("--help").split())
        for expected in (
            "run",
            "compare them",
            "events",
            "what fires when",
            "sequence-diagram",
            "An alias of sequence-diagram.",
            "twistd tlsdemo --help",
            "twistd tlsclient --help",
        ):
            self.assertIn(expected, text)

    def test_the_help_of_a_subcommand_begins_with_its_synopsis(self) -> None:
        self.assertTrue(self.shown("run", "--help").startswith("Usage: tlsdemo run [options]\n"))

    def test_a_reader_that_quits_early_causes_no_error_message(self) -> None:
        command = [sys.executable, "-m", "tlsdemo", "findings"]
        process = subprocess.Popen(
            command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        with process.stderr:
            self.assertEqual(process.stderr.read(), b"")
        self.assertEqual(process.wait(), 141)

    def test_output_that_cannot_be_written_is_one_line_and_an_exit_status(self) -> None:
        for words, named in {
            "versions": "tlsdemo",
            "findings": "tlsdemo",
            "findings alpn-kills-handshake": "tlsdemo",
            "run --help": "tlsdemo run",
            "run --help-all": "tlsdemo run",
            "run --version": "tlsdemo run",
        }.items():
            with self.subTest(words), open("/dev/full", "w") as full:
                command = [sys.executable, "-m", "tlsdemo", *words.split()]
                process = subprocess.run(
                    command, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True
                )
                self.assertEqual(
                    (process.returncode, process.stderr),
                    (
                        2,
                        f"{named}: cannot write to standard output: No space left on device\n",
                    ),
                )

    def test_closed_output_is_one_line_and_an_exit_status(self) -> None:
        problems = io.StringIO()
        self.patch(sys, "stdout", None)
        self.patch(sys, "stderr", problems)
        self.assertEqual(main(["versions"]), 2)
        self.assertEqual(
            problems.getvalue(), "tlsdemo: cannot write to standard output: it is closed\n"
        )

    def test_another_error_is_not_taken_for_one_of_the_output(self) -> None:
        def run(_: RunOptions) -> int:
            raise FileNotFoundError(2, "No such file or directory", "lost")

        self.patch(RunOptions, "run", run)
        self.assertRaises(FileNotFoundError, main, ["run"])

    def test_every_problem_is_one_line(self) -> None:
        for arguments, expected in {
            "": "tlsdemo: which command? run, compare, events, findings, gate, merge, scan, "
            "sequence-diagram, versions, man-page, completion (try: tlsdemo --help)",
            "walk": "tlsdemo: Unknown command: walk (try: tlsdemo --help)",
            "event": "tlsdemo: Unknown command: event; did you mean events? (try: tlsdemo --help)",
            "--nonsense": "tlsdemo: option --nonsense not recognized (try: tlsdemo --help)",
            "run --conn=x": "tlsdemo run: --conn is 'x', not a whole number "
            "(try: tlsdemo run --help)",
            "run --conns=5": "tlsdemo run: option --conns not recognized; did you mean --conn? "
            "(try: tlsdemo run --help)",
            "run fast": "tlsdemo run: 'fast' is not understood: it is not an option "
            "(try: tlsdemo run --help)",
        }.items():
            message = self.refused(lambda each=arguments: main(each.split()))  # type: ignore[misc]
            self.assertEqual(message, expected)

    def test_an_interruption_before_the_reactor_runs_is_one_line_and_an_exit_status(self) -> None:
        def run(_: RunOptions) -> int:
            raise KeyboardInterrupt

        self.patch(RunOptions, "run", run)
        self.assertEqual(entry_point(["run"]), 130)
        self.assertEqual(self.errors.getvalue(), "tlsdemo: interrupted\n")

    def test_an_interruption_while_modules_are_imported_is_the_same(self) -> None:
        program = (
            "import builtins, sys; real = builtins.__import__\n"
            "def interrupted(name, *more):\n"
            "    if name == 'tlsdemo.cli.main': raise KeyboardInterrupt\n"
            "    return real(name, *more)\n"
            "builtins.__import__ = interrupted\n"
            "from tlsdemo.__main__ import main; sys.exit(main())"
        )
        process = subprocess.run(
            [sys.executable, "-c", program], env=environment(), capture_output=True, timeout=60
        )
        self.assertEqual((process.returncode, process.stderr), (130, b"tlsdemo: interrupted\n"))

    def test_it_can_be_run_as_a_module(self) -> None:
        process = subprocess.run(
            [sys.executable, "-m", "tlsdemo", "--version"],
            env=environment(), capture_output=True, text=True, timeout=60, check=True,
        )  # fmt: skip
        self.assertEqual(process.stdout, f"{tlsdemo.__version__}\n")
