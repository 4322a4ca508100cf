"""The options that say what the connections of a load do, how fast, and what is demanded of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar

from tlsdemo.cli.check_option import CheckOption, wanted_of_windows
from tlsdemo.cli.contradictions import check
from tlsdemo.cli.option_groups import Group, GroupedOptions
from tlsdemo.cli.options import choice, named, seconds, whole
from tlsdemo.cli.readiness_contradictions import READINESS_CONTRADICTIONS
from tlsdemo.cli.scenario_contradictions import SCENARIO_CONTRADICTIONS
from tlsdemo.cli.suggestions import knowing
from tlsdemo.loadgen.arrivals import Arrivals, Window
from tlsdemo.loadgen.plan import Plan, find_max, steps
from tlsdemo.loadgen.scenario import ScenarioName
from tlsdemo.loadgen.scenario_catalogue import opened_first, packets_that_end
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.objectives import unfulfilled
from tlsdemo.reporting.progress import Progress
from tlsdemo.reporting.window_result import WindowResult

MIXED = "mixed"

READINESS = "readiness"
"""The scenario that is no load, but a few checks."""

_FIRST_RATE = 50.0
"""Where a search for the greatest rate begins without --rate."""

_MOST_RATE = 1e6


def per_second(text: str) -> float:
    """Read a rate."""
    try:
        rate = float(text)
    except ValueError:
        raise ValueError("not a number per second") from None
    if not 0 <= rate <= _MOST_RATE:
        raise ValueError(f"not between 0 and {_MOST_RATE:,.0f} per second")
    return rate


@knowing([*(each.value for each in ScenarioName), MIXED])
def scenario_name(text: str) -> ScenarioName | str:
    """Read the name of a scenario; `MIXED` is not one, but several, and `READINESS` no load."""
    if text in (MIXED, READINESS):
        return text
    try:
        return ScenarioName(text)
    except ValueError:
        known = ", ".join(each.value for each in ScenarioName)
        raise ValueError(f"none of {known}, {MIXED}, {READINESS}") from None


def rates(text: str) -> list[float]:
    """Read rates that are separated by commas, each above 0."""
    read = [per_second(each) for each in text.split(",")]
    if not all(read):
        raise ValueError("a rate has to be above 0")
    return read


def mix(text: str) -> dict[ScenarioName, tuple[float, float]]:
    """Read ``name=weight@rate,…``, the rate being optional: weights and rates by scenario."""
    parts: dict[ScenarioName, tuple[float, float]] = {}
    for part in text.split(","):
        name, _, numbers = part.partition("=")
        weight, _, rate = numbers.partition("@")
        try:
            scenario = ScenarioName(name)
            share = float(weight), per_second(rate or "0")
        except ValueError:
            raise ValueError(f"{part!r} is not like pingpong=3 or churn=1@20") from None
        if scenario in parts:
            raise ValueError(f"{name} is in it twice")
        parts[scenario] = share
        if not 0 < parts[scenario][0] < _MOST_RATE:
            raise ValueError(f"{part!r} has no weight above 0")
        if parts[scenario][1] and scenario is ScenarioName.IDLE:
            raise ValueError("idle has no rate; give --trickle")
    return parts


def escaped(text: str) -> str:
    r"""Read text of one byte a character, with escapes such as ``\r\n``."""
    try:
        read = text.encode("latin-1", "backslashreplace").decode("unicode_escape")
        read.encode("latin-1")
    except UnicodeError:
        raise ValueError(r"not text with escapes such as \r\n or \x00") from None
    return read


def message(text: str) -> str:
    """Read a text with escapes that is not empty."""
    if not text:
        raise ValueError("an empty message")
    return escaped(text)


class ScenarioOptions(CheckOption, GroupedOptions):
    """What the connections do; the options ``duration``, ``conn`` and ``packets`` are of the load.

    ``self["scenario"]`` is ``None`` if it is mixed, or ``readiness``.
    """

    readiness = False
    """Whether the scenario is no load, but checks."""

    optParameters: ClassVar[list[list[Any]]] = named([
        ["scenario", None, None, "What the connections do. stream: send packets as "
         "fast as flow control allows. pingpong: send messages, and verify that they come back "
         "(the server has to echo: --role=echo). churn: open, verify and close, --conn at a time. "
         "idle: be held. mixed: see --mix. readiness: see whether the server takes the "
         "ClientHellos of post-quantum clients, cut into segments, and can ask for another one "
         "(HelloRetryRequest). [default: stream]", scenario_name],
        ["mix", None, None, "Parts of --scenario=mixed, such as stream=1,pingpong=5@200,idle=10: "
         "their weights, by which --conn is divided, and their rates, if any.", mix],
        ["rate", None, 0.0, "Packets, messages or connections (in churn) per second in all. They "
         "are due by a plan whether the server keeps up or not (open loop), and latencies begin "
         "when they were due. 0: the next begins when one is done (closed loop).", per_second],
        ["arrivals", None, None, "How work is due at a --rate: constant or poisson. "
         "[default: constant]",
         choice(Arrivals)],
        ["seed", None, 0, "Makes poisson arrivals repeatable.", whole(0)],
        ["ramp", None, 0.0, "Seconds in which the rate grows to --rate, before anything is "
         "measured.", seconds(0.0)],
        ["warm-up", None, 0.0, "Seconds of load before anything is measured.", seconds(0.0)],
        ["steps", None, None, "Rates to measure one after the other, such as 100,500,2000; each "
         "for --duration.", rates],
        ["slo", None, None, "With --find-max, what has to hold: 'p99(handshake)<50ms,failed<0.1%'. "
         "Latencies are connect, upgrade, handshake, confirmed, first-byte, round-trip and write.",
         wanted_of_windows],
        ["pipeline", None, 1, "Messages without an answer that a connection of pingpong may have.",
         whole(1, 1 << 20)],
        ["say", None, None, r"What each message says, such as NOOP\r\n, if the server does not "
         "echo.",
         message],
        ["expect", None, None, "How the line begins that answers --say, such as 250.",
         escaped],
        ["trickle", None, 0.0, "Seconds between two bytes on each idle connection; 0 for none.",
         seconds(0.0)],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["resume", None, "Resume the TLS session of an earlier connection (churn)."],
        ["prefill", None, "Encrypt the --packets of every connection before the load begins, so "
         "that it costs the clients little but writing to sockets (stream)."],
        ["find-max", None, "Search the greatest --rate that holds, beginning with --rate: until it "
         "does not fulfil --slo, or work is missed. Then confirm it for twice --duration."],
    ]  # fmt: skip

    groups: ClassVar[Mapping[Group, str]] = {
        Group.DEMONSTRATION: "scenario mix rate arrivals seed ramp warm-up steps find-max slo "
        "pipeline say expect trickle resume prefill check",
    }

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        given = self["scenario"]
        self.readiness = given == READINESS
        if self.readiness:
            self["scenario"] = None
            check(self, READINESS_CONTRADICTIONS)
            return
        self["scenario"] = None if given == MIXED else given or ScenarioName.STREAM
        check(self, SCENARIO_CONTRADICTIONS)

    def parts(self, task: Task) -> list[Task]:
        """Return the parts of the load, of which ``task`` has everything else."""
        if self["scenario"] is not None:
            return [replace(task, scenario=self["scenario"].value)]
        shares = _divide(task.connections, [weight for weight, _ in self["mix"].values()])
        parts = zip(self["mix"].items(), shares, strict=True)
        return [
            replace(task, scenario=name.value, connections=share, work_rate=rate)
            for (name, (_, rate)), share in parts
        ]

    def echoes(self) -> bool:
        """Return whether the server has to send back what it receives."""
        answering = {ScenarioName.PINGPONG}
        if self["packets"]:
            answering.add(ScenarioName.CHURN)
        return self["say"] is None and bool(answering & {self["scenario"], *(self["mix"] or {})})

    def load_progress(self, progress: Progress, parts: Sequence[Task]) -> LoadProgress:
        """Return what shows the progress of a load of these parts."""
        first = opened_first(parts)
        return LoadProgress(
            progress,
            first,
            packets_that_end(parts),
            None if self["find-max"] else len(self["steps"] or [0]),
            others=first < sum(part.connections for part in parts),
        )

    def plan(self) -> Plan:
        """Return a new plan."""
        first = Window(
            ramp=self["ramp"],
            warm_up=self["warm-up"],
            arrivals=(self["arrivals"] or Arrivals.CONSTANT).value,
            seed=self["seed"],
            seconds=self["duration"],
        )
        if self["find-max"]:
            slo = self["slo"]

            def holds(result: WindowResult) -> bool:
                # A rate at which work waits for the end of the window does not hold.
                return result.kept_up and not unfulfilled(slo, result)

            return find_max(holds, self["rate"] or _FIRST_RATE, first)
        return steps(self["steps"] or [self["rate"]], first)


def _divide(total: int, weights: Sequence[float]) -> list[int]:
    """Divide by weight; each part gets at least one, so the sum may be a little more."""
    whole_weight = sum(weights)
    ends = [round(total * sum(weights[:end]) / whole_weight) for end in range(len(weights) + 1)]
    return [max(1, end - start) for start, end in pairwise(ends)]
