"""``tlsdemo run``: the same load on several modes, or with several versions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.comparison_options import BUILD_BOUND, ComparisonOptions
from tlsdemo.cli.contradictions import check
from tlsdemo.cli.launched_server import START_WITHIN, STOP_WITHIN, Place
from tlsdemo.cli.load_comparison import CandidateServer, LoadComparison
from tlsdemo.cli.load_contradictions import LOAD_CONTRADICTIONS
from tlsdemo.cli.load_options import LOAD_BOUNDS, LOAD_PARAMETERS, SENDS, LoadOptions
from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import check_output_files, choice, named, whole
from tlsdemo.cli.scenario_options import per_second
from tlsdemo.cli.suggestions import one_of
from tlsdemo.lab.compare.environment_builder import environment_variables
from tlsdemo.reporting.latencies import CAN_MEASURE
from tlsdemo.reporting.probe_result import PROBE
from tlsdemo.reporting.terminal import console_of
from tlsdemo.tls import Delivery, ModeName

_SECONDS_OF_A_ROUND = 2.0

_ROUNDS = 5
"""How often each version is measured, unless the user says it."""


class RunOptions(ComparisonOptions, LoadOptions):
    """The options of ``tlsdemo run``."""

    command = "tlsdemo run"

    synopsis = "Usage: tlsdemo run [options]"

    longdesc = (
        "Starts a server and its clients, puts the same load on one --mode after the other, and "
        "shows the modes side by side. The exit status is 0 only if every connection was secured "
        "and no byte was lost. With --against or --python, the load is also put on servers with "
        "other versions, in turn with the installed ones, and the costs are compared. With "
        "--repeat, the modes take turns, and each is compared with the first, as by tlsdemo "
        "compare. A server "
        f"has {START_WITHIN:g} seconds to start and {STOP_WITHIN:g} to stop; {LOAD_BOUNDS} "
        f"{BUILD_BOUND}."
    )

    aliases: ClassVar[Mapping[str, str]] = {**LoadOptions.aliases, "rounds": "repeat"}

    has_probe = True

    optParameters: ClassVar[list[list[Any]]] = named([
        *LOAD_PARAMETERS,
        ["delivery", None, None, "How the server delivers cleartext to its application: record, "
         "coalesced or readable. [default: the mode's: coalesced in pair, otherwise record]",
         choice(Delivery)],
        ["client-mode", None, None, "How the clients secure their connections: starttls, pair or "
         "wrapped. [default: starttls]", choice(ModeName)],
        ["send", None, "raw", "raw: each packet becomes a TLS record; buffered: the packets of one "
         "turn of the reactor become full records; stock: the mode's default.", one_of(SENDS)],
        ["json", None, None, "Also write the results to this file."],
        ["html", None, None, "Also write a page with charts to this file, complete in itself."],
        ["probe-rate", None, 50.0, "Messages per second of a probe: they go through the server and "
         "back on one more connection while the load is sent, and are timed from when they were "
         "due. 0: no probe.", per_second],
        ["repeat", None, None, "Measure so many times, in turn, and compare each --mode with the "
         "first one; with --against or --python each version, and the default of --duration is "
         f"{_SECONDS_OF_A_ROUND:g} then. [default: 1, with --against or --python {_ROUNDS}]",
         whole(1, 1000)],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["web", None, "Show the modes side by side on a live page, on this machine only, while the "
         "load runs; afterwards it stays until Ctrl-C."],
    ]  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.TLS: "mode client-mode delivery send",
        Group.LOGGING: "json html web",
        Group.DEMONSTRATION: "against python repeat probe-rate",
    }

    essential = "mode client-mode delivery dialect timeout json against repeat conn duration"

    known_values: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "mode": tuple(name.value for name in ModeName),
    }

    def __init__(self) -> None:
        super().__init__()
        self["modes"] = []

    def opt_mode(self, name: str) -> None:
        """How the server secures its connections: starttls, pair, wrapped or clear.

        Can be repeated. [default: starttls and pair]
        """
        try:
            mode = choice(ModeName)(name)
            if mode in self["modes"]:
                raise ValueError("and it is given twice; --repeat measures each mode several times")
            self["modes"].append(mode)
        except ValueError as problem:
            raise usage.UsageError(f"--mode is {name!r}, {problem}") from None

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        self["modes"] = self["modes"] or [ModeName.STARTTLS, ModeName.PAIR]
        if self["client-mode"] is ModeName.CLEAR:
            raise usage.UsageError("--client-mode is clear, which is only for --mode=clear")
        check_output_files(self, ("json", "html"))
        check(self, LOAD_CONTRADICTIONS)
        if not CAN_MEASURE:
            if self.is_given("probe-rate"):
                raise usage.UsageError("--probe-rate needs histograms: pip install 'tlsdemo[load]'")
            self["probe-rate"] = 0.0
        if not self["probe-rate"] and any(each.of == PROBE for each in self["check"]):
            raise usage.UsageError("--check has the probe, and --probe-rate is 0; leave one away")
        if self.compares and not self.is_given("duration"):
            self["duration"] = _SECONDS_OF_A_ROUND
        self["repeat"] = self["repeat"] or (_ROUNDS if self.compares else 1)
        if self["web"] and (self.compares or self["repeat"] > 1):
            raise usage.UsageError(
                "--web shows each mode once, and is not for --repeat, --against or --python"
            )

    def run(self) -> int:
        """Run the load, show the results, and return the exit status."""
        with self.environments() as environments:
            # Not earlier: building the environments would block the reactor.
            from twisted.internet import reactor

            candidates = [
                CandidateServer(
                    name, each.versions, Place(str(each.python), environment_variables(each))
                )
                for name, each in environments.items()
            ]
            return LoadComparison(reactor, self, console_of(sys.stdout), candidates).run()
