"""``tlsdemo events``: what fires when, on both ends, for every way that a connection can go."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from twisted.logger import globalLogBeginner
from twisted.python import usage

from tlsdemo.cli.comparison_options import AgainstOptions
from tlsdemo.cli.events_run import FEW, EventsRun, as_json, traces_of
from tlsdemo.cli.options import fail, named, whole
from tlsdemo.lab.laboratory import Cell
from tlsdemo.lab.scenario_matrix import MODES, TLS, Selection
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.lab.stacks.stack_catalogue import STACKS
from tlsdemo.reporting.difference_text import event_lines, versions_line
from tlsdemo.reporting.event_differences import event_differences

FORMATS = ("text", "json", "markdown", "html")

DRAWN = ("text", "html")
"""The formats in which a connection can be drawn."""

FOREIGN = tuple(STACKS)

BY_DEFAULT = tuple(name for name in FOREIGN if name not in ("twisted-wrapped", "twisted-pair"))
"""The foreign servers that are shown unless others are asked for: one of stock Twisted will do."""

_ONLY_HERE = ("format", "expect", "output", "keylog", "orders", "waterfall")


class EventsOptions(AgainstOptions):
    """The options of ``tlsdemo events``."""

    command = "tlsdemo events"

    synopsis = "Usage: tlsdemo events [options]"

    longdesc = (
        "Makes real connections over loopback, one for each mode, version of TLS and way that a "
        "connection can go, and shows what each end was told, in which order. Foreign servers "
        "(asyncio, Node, stock Twisted) are shown beside ours. Without options: all of them. "
        "--mode, --tls, --way and --peer select, and can be repeated. With --against or --python, "
        "the same is looked at with other versions, and what differs is told."
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["format", None, "text", "text, json, markdown or html."],
        ["times", None, 2, "How often each connection of ours is made: what goes in another order "
         "the next time is called a race.", whole(1, 1000)],
        ["output", None, None, "Write to this file instead of standard output."],
        ["expect", None, None, "A file that --format=json has written before: tell what is no "
         "longer so, and end with status 1 if anything is."],
        ["keylog", None, None, "Append the secrets of all connections to this file "
         "(SSLKEYLOGFILE format), for Wireshark: whoever has it can read what they carried."],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[Any]]] = [
        ["orders", None, "Show the order of events, also of many cells."],
        ["waterfall", None, "Draw each connection, as text or as a page of HTML; for a few."],
        ["list", None, "List the ways and the foreign servers."],
    ]

    def __init__(self) -> None:
        super().__init__()
        for name in ("modes", "versions", "ways", "peers"):
            self[name] = []

    def opt_mode(self, name: str) -> None:
        """How our connections are secured: starttls, pair or wrapped."""
        self["modes"].append(_one_of("mode", name, MODES))

    def opt_tls(self, name: str) -> None:
        """The version of TLS: 1.2 or 1.3."""
        self["versions"].append(_one_of("tls", name, TLS))

    def opt_way(self, name: str) -> None:
        """How the connection goes; see --list. The beginning of a name is enough."""
        found = [scenario for scenario in SCENARIOS if scenario == name] or [
            scenario for scenario in SCENARIOS if name and scenario.lower().startswith(name.lower())
        ]
        if not found:
            raise usage.UsageError(f"--way is {name!r}, none of {', '.join(SCENARIOS)}")
        self["ways"] += found

    def opt_peer(self, name: str) -> None:
        """A foreign server to show beside ours, or none; see --list.

        [default: those of asyncio and Node, and one of stock Twisted, unless a mode is asked for]
        """
        self["peers"].append(_one_of("peer", name, (*FOREIGN, "none")))

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        if self["format"] not in FORMATS:
            raise usage.UsageError(f"--format is {self['format']!r}, none of {', '.join(FORMATS)}")
        if self["waterfall"] and self["format"] not in DRAWN:
            raise usage.UsageError(f"--waterfall needs --format={' or '.join(DRAWN)}")
        wanted = len(self._cells)
        if not wanted:
            raise usage.UsageError(f"there are no such connections with {', '.join(self['ways'])}")
        if self["waterfall"] and wanted > FEW:
            raise usage.UsageError(
                f"--waterfall draws {FEW} connections at the most, and {wanted} are selected; "
                "select with --mode, --tls and --way"
            )
        for name in ("output", "keylog"):
            if self[name] is not None and not Path(self[name]).absolute().parent.is_dir():
                raise usage.UsageError(f"--{name} is {self[name]!r}, in no folder that exists")

    def selection(self) -> Selection:
        """Return which cells are wanted.

        Foreign servers are shown unless modes are asked for, and ours unless servers are.
        """
        only_peers = self["peers"] and not self["modes"] and self["peers"] != ["none"]
        peers = tuple(self["peers"]) or (() if self["modes"] else BY_DEFAULT)
        return Selection(
            modes=() if only_peers else tuple(dict.fromkeys(self["modes"])) or MODES,
            tls=tuple(dict.fromkeys(self["versions"])) or TLS,
            scenarios=tuple(dict.fromkeys(self["ways"])) or tuple(SCENARIOS),
            peers=tuple(name for name in dict.fromkeys(peers) if name != "none"),
        )

    def run(self) -> int:
        """Make the connections, show what was seen, and return the exit status."""
        if self["list"]:
            print("\n".join(_listing()))
            return 0
        from twisted.internet import reactor

        # What a connection that goes wrong has Twisted log is shown as its events.
        globalLogBeginner.beginLoggingTo([], discardBuffer=True, redirectStandardIO=False)
        run = EventsRun(reactor, self, self._cells)
        reactor.callWhenRunning(run.start)
        reactor.run()
        run.finish()
        if not self["waterfall"]:
            run.show()
        here, beside = as_json(run.seen), []
        for there in self.results_there("--format=json", instead_of=_ONLY_HERE):
            self.say(f"here {versions_line(here['versions'])}")
            self.say(f"there {versions_line(there.result['versions'])}")
            self._tell(here, there.result, f"the same with {there.name}")
            beside += traces_of(there.result)
        if self["waterfall"]:
            run.show(beside)
        if self["expect"] is None:
            return 0
        return self._tell(here, self._expected(), f"as {self['expect']} has it")

    def _tell(self, here: Any, there: Any, same: str) -> int:
        """Tell what differs, or that all is the ``same``; return the exit status of it."""
        lines = list(event_lines(event_differences(here, there), here, there))
        self.say("what differs:" if lines else same)
        # Beside a result that somebody reads by program, only where nobody does.
        stream = sys.stdout if self["format"] == "text" else sys.stderr
        for line in lines:
            stream.write(f"{line}\n")
        return 1 if lines else 0

    def _expected(self) -> Any:
        """Return what --expect's file has of the cells that are looked at."""
        wanted = {(each.mode, each.tls, each.scenario.name, each.peer) for each in self._cells}
        try:
            found = json.loads(Path(self["expect"]).read_text(encoding="utf-8"))
            cells = [
                cell
                for cell in found["cells"]
                if (cell["mode"], cell["tls"], cell["way"], cell["peer"]) in wanted
            ]
        except OSError as problem:
            fail(self.command, f"--expect is {self['expect']!r}: {problem.strerror}", status=2)
        except (ValueError, KeyError, TypeError):
            text = "not what --format=json writes"
            fail(self.command, f"--expect is {self['expect']!r}, {text}", status=2)
        return {**found, "cells": cells}

    @property
    def _cells(self) -> list[Cell]:
        return self.selection().cells()


def _one_of(option: str, name: str, known: Sequence[str]) -> str:
    if name not in known:
        raise usage.UsageError(f"--{option} is {name!r}, none of {', '.join(known)}")
    return name


def _listing() -> list[str]:
    width = max(len(name) for name in (*SCENARIOS, *FOREIGN)) + 2
    lines = ["Ways (--way):", ""]
    lines += [f"  {scenario.name:{width}}{scenario.description}" for scenario in SCENARIOS.values()]
    lines += ["", "Foreign servers (--peer):", ""]
    for name in FOREIGN:
        peer = STACKS[name]
        here = peer.availability()
        there_is = here.version if here.reason is None else f"not here: {here.reason}"
        lines.append(f"  {name:{width}}{peer.title} ({there_is})")
    return lines
