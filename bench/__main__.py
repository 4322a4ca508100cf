"""``python -m bench``: every proxy under the same load, and tables of what each costs."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from twisted.python import usage

from bench.chart import chart
from bench.child import CannotMeasure
from bench.environment import environment
from bench.measures import (
    floors,
    growth,
    handshakes,
    memory,
    pipeline,
    records,
    responsiveness,
    workers,
)
from bench.measures.task import Task
from bench.peers.catalogue import PEERS, baseline_of
from bench.peers.setup import Peer
from bench.plan import FULL, QUICK, Plan
from bench.report import report
from bench.runner import run_rounds, say
from bench.samples import Results
from bench.targets import OURS
from bench.workbench import workbench
from tlsdemo.cli.options import Options, fail, seconds, whole
from tlsdemo.cli.standard_output import guarded

COMMAND = "python -m bench"

SERVED = {each.NAME: each for each in (records, handshakes, memory, responsiveness, growth)}
MEASURES = (records.NAME, pipeline.NAME, *list(SERVED)[1:], workers.NAME)

_COMPARED = (records.NAME, handshakes.NAME, memory.NAME, responsiveness.NAME)
_VARIANTS_IN = {"pair-asyncio": _COMPARED, "pair-uvloop": _COMPARED}
"""The measures in which a variant of a peer takes part."""


class BenchOptions(Options):
    """The options of the benchmark."""

    command = COMMAND

    synopsis = f"Usage: {COMMAND} [options]"

    longdesc = (
        "Puts the same load on one proxy after the other, in several rounds, and prints what each "
        "costs. Every proxy is a process on a processor of its own, secures accepted plain "
        "connections, demands a client certificate, and forwards the cleartext to a plain sink. "
        "The records are encrypted before they are sent, so the load is cheaper than any proxy. "
        "Everything runs on the loopback interface. The exit status is 0 only if nothing went "
        "wrong; a program that is not installed is named in the tables, and is no error. Results "
        "go to standard output, progress to standard error. Begin with --quick, and with one "
        "question: --quick --measure=records --peer=pair --peer=nginx."
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["quick", "q", "Fewer cases, fewer connections, one round: under five minutes for all."],
    ]

    optParameters: ClassVar[list[list[Any]]] = [
        ["rounds", "r", None, "Number of times that everything is measured. [default: 3, or 1 "
         "with --quick]", whole(1, 1000)],
        ["limit", None, 300.0, "Seconds that a proxy may take for one measure, or it is given up.",
         seconds(10.0, 3600.0)],
        ["output", "o", None, "Also write RESULTS.md, results.json and chart.svg to this folder."],
        ["again", None, None, "Measure nothing: write the report of this results.json once more."],
        ["baseline", None, None, "Another checkout of tlsdemo: also measure pair and "
         "starttls-coalesced of that."],
    ]  # fmt: skip

    def opt_peer(self, name: str) -> None:
        """Measure only this proxy; repeat it for more."""
        if name not in PEERS:
            raise usage.UsageError(f"--peer is {name!r}, none of {', '.join(PEERS)}")
        self.setdefault("peers", {})[name] = PEERS[name]

    def opt_measure(self, name: str) -> None:
        """Take only this measure; repeat it for more."""
        if name not in MEASURES:
            raise usage.UsageError(f"--measure is {name!r}, none of {', '.join(MEASURES)}")
        self.setdefault("measures", {})[name] = None

    def getUsage(self, width: int | None = None) -> str:
        """Return the help, with lists of the proxies and the measures."""
        longest = max(map(len, PEERS))
        peers = "".join(f"  {peer.name:{longest}}  {peer.about}\n" for peer in PEERS.values())
        return f"{super().getUsage(width)}\nMeasures: {', '.join(MEASURES)}\n\nProxies:\n{peers}"

    def postOptions(self) -> None:
        """Check options that depend on each other."""
        self["plan"] = QUICK if self["quick"] else FULL
        if self["rounds"] is not None:
            self["plan"] = replace(self["plan"], rounds=self["rounds"])
        self["named"] = "peers" in self
        self["peers"] = list(self.get("peers", PEERS).values())
        self["measures"] = list(self.get("measures", MEASURES))
        if self["baseline"] is not None:
            checkout = Path(self["baseline"]).absolute()
            if not (checkout / "tlsdemo" / "tap.py").is_file():
                raise usage.UsageError(f"--baseline is {str(checkout)!r}, no checkout of tlsdemo")
            self["peers"] += [baseline_of(name, checkout) for name in OURS]
        if self["output"] is not None and not Path(self["output"]).is_dir():
            raise usage.UsageError(f"--output is {self['output']!r}, and there is no such folder")
        if self["again"] is not None and not Path(self["again"]).is_file():
            raise usage.UsageError(f"--again is {self['again']!r}, and there is no such file")


def chosen_for(measure: str, peers: Iterable[Peer], plan: Plan, named: bool) -> list[Peer]:
    """Return the peers that take part in a measure: variants only where they have a question."""
    return [
        peer
        for peer in peers
        if not peer.variant
        or named
        or (plan.variants and measure in _VARIANTS_IN.get(peer.name, ()))
    ]


def tasks(options: BenchOptions) -> Iterator[Task]:
    """Return everything that is to be measured, in the order of a round."""
    plan, peers = options["plan"], options["peers"]
    for measure in options["measures"]:
        chosen = chosen_for(measure, peers, plan, options["named"])
        if measure == workers.NAME:
            names = {peer.name for peer in peers}
            if plan.variants or options["named"]:
                yield from workers.tasks(
                    plan, [PEERS[each] for each in workers.PEERS if each in names]
                )
        elif measure == pipeline.NAME:
            yield from pipeline.tasks(plan, frozenset(peer.name for peer in chosen))
        else:
            yield from SERVED[measure].tasks(plan, chosen)
    if not options["named"]:
        yield from (each for each in floors.tasks(plan) if each.measure in options["measures"])


def measure(options: BenchOptions) -> Results:
    """Measure, and return what was found, also when Ctrl-C ends it."""
    every = list(tasks(options))
    results = Results(environment())
    names = dict.fromkeys(each.peer for each in every)
    about = {**floors.ABOUT, **{peer.name: peer.about for peer in options["peers"]}}
    results.peers.update((name, about[name]) for name in about if name in names)
    results.environment = {
        **results.environment,
        "rounds": options["plan"].rounds,
        "command": " ".join([COMMAND, *sys.argv[1:]]),
    }
    with workbench(options["limit"]) as bench:

        def keep(incomplete: bool = True) -> None:
            more = {"versions": bench.versions, "incomplete": incomplete}
            results.environment = {**results.environment, **more}
            if options["output"] is not None:
                # --again makes a report of it if the rest is lost.
                folder = Path(options["output"])
                (folder / "results.json").write_text(results.as_json(), encoding="utf-8")

        try:
            run_rounds(every, options["plan"].rounds, bench, results, keep=keep)
        except KeyboardInterrupt:
            say("interrupted: the results are incomplete")
            keep()
        else:
            keep(incomplete=False)
    return results


def write(results: Results, folder: Path) -> None:
    """Write the three files of a run."""
    (folder / "RESULTS.md").write_text(report(results), encoding="utf-8")
    (folder / "results.json").write_text(results.as_json(), encoding="utf-8")
    variants = frozenset(name for name, peer in PEERS.items() if peer.variant)
    (folder / "chart.svg").write_text(chart(results, variants), encoding="utf-8")
    say(f"written: RESULTS.md, results.json and chart.svg in {folder}")


def main() -> int:
    """Run the command."""
    options = BenchOptions()
    options.parseOptions()
    # A terminated run ends its children like an interrupted one.
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        if options["again"] is not None:
            results = Results.from_json(Path(options["again"]).read_text(encoding="utf-8"))
        else:
            results = measure(options)
    except CannotMeasure as problem:
        fail(COMMAND, problem, status=1)
    print(report(results))
    if options["output"] is not None:
        write(results, Path(options["output"]))
    return 1 if results.faults or results.environment.get("incomplete") else 0


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
