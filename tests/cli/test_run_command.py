from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from tests.cli.comparison_case import ComparisonCase
from tlsdemo.cli import run_command
from tlsdemo.cli.launched_server import Place
from tlsdemo.cli.load_comparison import CandidateServer
from tlsdemo.cli.run_command import RunOptions
from tlsdemo.lab.compare.environment_cache import Environment
from tlsdemo.tls import ModeName

MODE_NAMES = ", ".join(name.value for name in ModeName)


class Options(ComparisonCase):
    def test_the_default_modes_are_starttls_and_pair(self) -> None:
        self.assertEqual(self.options()["modes"], [ModeName.STARTTLS, ModeName.PAIR])
        self.assertEqual(
            self.options("--mode=clear", "--mode=wrapped")["modes"],
            [ModeName.CLEAR, ModeName.WRAPPED],
        )

    def test_the_default_of_sending_is_raw(self) -> None:
        self.assertEqual(self.options()["send"], "raw")

    def test_every_problem_is_one_line_that_names_the_option_and_the_value(self) -> None:
        for argument, expected in {
            "--mode=x": f"--mode is 'x', none of {MODE_NAMES}",
            "--client-mode=x": f"--client-mode is 'x', none of {MODE_NAMES}",
            "--client-mode=clear": "--client-mode is clear, which is only for --mode=clear",
            "--delivery=x": "--delivery is 'x', none of record, coalesced, readable",
            "--send=x": "--send is 'x', none of raw, buffered, stock",
            "--json=/": "--json is '/', which is a folder; name a file",
            "--mode=clear --cert=a.pem": "--cert is 'a.pem', and --mode=clear has no TLS",
            "--mode=clear --client-mode=pair": "--client-mode is 'pair', and --mode=clear has no",
            "--mode=clear --mode=wrapped --dialect=smtp": "--dialect is 'smtp', and modes wrapped",
            "--client-mode=wrapped --dialect=smtp": "--dialect is 'smtp', and modes wrapped",
            "--packets=2 --duration=3": "--duration is '3', and --packets is 2",
            "--max-line=100": "--max-line is '100', and nothing is said before TLS",
            "--client-name=a --dialect=line": "--client-name is 'a', which only clients of smtp",
            "--tls-min=1.3 --ciphers=ECDHE+AESGCM": "--ciphers is 'ECDHE+AESGCM', which are for",
            "--passphrase-file=a": "--passphrase-file is 'a', and the keys of the demonstration",
            "--json=/nowhere/a": "--json is '/nowhere/a', and that folder does not exist",
            "--json=a --html=a": "--html is 'a', which is --json as well",
            "--conn=x": "--conn is 'x', not a whole number",
            "--mode=pair --mode=pair": "--mode is 'pair', and it is given twice; --repeat measures",
            "--web --repeat=2": "--web shows each mode once, and is not for --repeat, --against or",
            "--web --against=twisted==24.7.0": "--web shows each mode once, and is not for",
            "--probe-rate=0 --check=p99(probe)<1s": "--check has the probe, and --probe-rate is 0",
            "--probe-rate=-1": "--probe-rate is '-1', not between 0 and 1,000,000 per second",
        }.items():
            message = self.refused(lambda each=argument: self.options(*each.split()))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"tlsdemo run: {expected}"), message)
            self.assertTrue(message.endswith(" (try: tlsdemo run --help)"), message)

    def test_without_histograms_there_is_no_probe(self) -> None:
        self.assertEqual(self.options()["probe-rate"], 50.0)
        self.patch(run_command, "CAN_MEASURE", False)
        self.assertEqual(self.options()["probe-rate"], 0.0)
        message = self.refused(lambda: self.options("--probe-rate=5"))
        self.assertIn("--probe-rate needs histograms: pip install 'tlsdemo[load]'", message)

    def test_it_runs_the_comparison_in_the_reactor(self) -> None:
        seen: list[Any] = []

        class FakeComparison:
            def __init__(self, *arguments: object) -> None:
                seen.extend(arguments)

            def run(self) -> int:
                return 3

        self.patch(run_command, "LoadComparison", FakeComparison)
        options = self.options()
        self.assertEqual(options.run(), 3)
        from twisted.internet import reactor

        self.assertEqual(seen[:2], [reactor, options])


class Against(ComparisonCase):
    def options(self, *arguments: str) -> RunOptions:
        return super().options("--against=twisted==24.7.0", *arguments)

    def test_a_round_is_shorter_than_a_run_by_default(self) -> None:
        self.assertEqual(self.options()["duration"], 2.0)
        self.assertEqual(self.options("--duration=10")["duration"], 10.0)
        self.assertEqual(super().options()["duration"], 10.0)
        self.assertEqual(super().options(f"--python={sys.executable}")["duration"], 2.0)

    def test_each_version_is_measured_five_times_by_default(self) -> None:
        self.assertEqual(self.options()["repeat"], 5)
        self.assertEqual(self.options("--repeat=7")["repeat"], 7)
        self.assertEqual(self.options("--rounds=7")["repeat"], 7)
        self.assertEqual(super().options()["repeat"], 1)
        self.assertEqual(super().options("--repeat=7")["repeat"], 7)

    def test_the_candidates_are_the_environments_of_the_options(self) -> None:
        seen: list[Any] = []

        class FakeComparison:
            def __init__(self, *arguments: Any) -> None:
                seen.extend(arguments[3])

            def run(self) -> int:
                return 3

        environment = Environment(Path(self.mktemp()).absolute(), versions={"Twisted": "24.7.0"})
        self.patch(run_command, "LoadComparison", FakeComparison)
        self.patch(run_command, "environment_variables", lambda each: {"PYTHONPATH": each.key})
        self.patch(RunOptions, "environments", lambda _: nullcontext({"old": environment}))
        self.assertEqual(self.options().run(), 3)
        place = Place(str(environment.python), {"PYTHONPATH": environment.key})
        self.assertEqual(seen, [CandidateServer("old", {"Twisted": "24.7.0"}, place)])
