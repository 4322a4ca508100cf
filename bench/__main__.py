"""``python -m bench``: all proxies under the same load, and the table of what each needs."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, ClassVar

from rich.console import Console
from twisted.internet.defer import Deferred
from twisted.python import usage
from twisted.python.failure import Failure

from bench.figures import Measurement, Trouble, summaries
from bench.measure import Bench, Load
from bench.peers.catalogue import REFERENCE, STACKS, Place
from bench.process import CannotMeasure, Program
from bench.table import measured, table, versions_lines
from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates
from tlsdemo.cli.options import Options, fail, seconds, whole
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.loadgen.schedule import SPARE_DESCRIPTORS, Task, default_workers, descriptors_needed
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.progress import Progress

COMMAND = "python -m bench"

_SHOWN = (LoadPhase.STARTING, LoadPhase.SENDING)
"""The phases that are worth a line each, where there is no terminal; the others are short."""


class BenchOptions(Options):
    """The options of the benchmark."""

    command = COMMAND

    synopsis = f"Usage: {COMMAND} [options]"

    longdesc = (
        "Puts the same load on every proxy in turn, round after round, and tells what each needs "
        "of the CPU: for a handshake, for a TLS record, and for a MB of cleartext. Every proxy is "
        "a process of its own that secures accepted plain connections, demands a certificate, and "
        "passes the cleartext to one common plain sink. Ratios compare with "
        f"{REFERENCE} in the same round. All of it happens on the loopback interface. The exit "
        "status is 0 only if every measurement was good, that is, all connections were secured and "
        "every byte arrived; a program that is not installed is only remarked on, unless it was "
        "asked for with --peer."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["conn", "c", 200, "How many connections a proxy gets.", whole(1, 1_000_000)],
        ["packets", None, 2000, "How many packets each connection sends, so that every proxy has "
         "the same work.", whole(1)],
        ["packet-size", None, 32, "Bytes in a packet; each becomes a TLS record of its own.",
         whole(1, 1 << 14)],
        ["burst", None, 64, "Packets that a connection writes in a row before it is another's "
         "turn: about what a proxy finds in one read. 1 is the hardest for every proxy.",
         whole(1)],
        ["rounds", "r", 3, "How often each proxy is measured.", whole(1, 1000)],
        ["workers", None, None, "From how many client processes. [default: one less than there "
         "are CPUs, at least 1]", whole(1, 1024)],
        ["limit", None, 120.0, "Seconds after which a proxy that is not done is given up.",
         seconds(1.0)],
        ["json", None, None, "Write every measurement to this file too."],
    ]  # fmt: skip

    def opt_peer(self, name: str) -> None:
        """Measure only this proxy; repeat it for more."""
        if name not in STACKS:
            raise usage.UsageError(f"--peer is {name!r}, none of {', '.join(STACKS)}")
        self["peers"] = [*self.get("peers", []), STACKS[name]]

    def getUsage(self, width: int | None = None) -> str:
        """Return the help, and what the proxies are."""
        longest = max(map(len, STACKS))
        peers = "".join(f"  {peer.name:{longest}}  {peer.about}\n" for peer in STACKS.values())
        return (
            f"{super().getUsage(width)}\nProxies, in the order in which they are measured:\n{peers}"
        )

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        self["asked"] = "peers" in self
        self["peers"] = list(dict.fromkeys(self.get("peers", STACKS.values())))
        if self["json"] is not None and not Path(self["json"]).absolute().parent.is_dir():
            raise usage.UsageError(f"--json is {self['json']}, and that folder does not exist")

    def load(self, certificates: DemoCertificates) -> Load:
        """Return the load that is asked for; ends the process if descriptors do not suffice."""
        workers = self["workers"] or default_workers(os.cpu_count() or 1)
        # A proxy needs two for each connection, a worker only one.
        needed = max(descriptors_needed(self["conn"], workers), 2 * self["conn"])
        limit = raise_descriptor_limit()
        if needed + SPARE_DESCRIPTORS > limit:
            fail(
                COMMAND,
                f"--conn={self['conn']} needs {needed + SPARE_DESCRIPTORS} descriptors in a "
                f"process, and the limit is {limit}; raise it: ulimit -Hn "
                f"{needed + SPARE_DESCRIPTORS}, as root",
                status=1,
            )
        own = certificates.client
        task = Task(
            connections=self["conn"],
            connect="",
            server_name="127.0.0.1",
            mode="starttls",
            send="raw",
            packet_size=self["packet-size"],
            packets=self["packets"],
            burst=self["burst"],
            rate=0.0,
            in_flight=256,
            timeout=60.0,
            certificate=str(own.certificate),
            key=str(own.key),
            authority=str(own.authority),
        )
        return Load(task, workers, self["limit"])


class Command:
    """One run of the command, from its beginning to its exit status."""

    def __init__(self, reactor: Any, options: BenchOptions, console: Console) -> None:
        self._reactor = reactor
        self._options = options
        self._console = console
        self._bench: Bench | None = None
        self._progress: Progress | None = None
        self._title = ""
        self._done: Deferred[None] | None = None
        self._interrupted = False
        self._problem: str | None = None
        self._measurements: list[Measurement] = []

    def run(self) -> int:
        """Run in the reactor until everything is done; return the exit status."""
        self._reactor.callWhenRunning(self._begin)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._reactor.run()
        self._end_progress()
        if self._measurements and self._bench is not None:
            self._report(self._bench.versions)
        if self._problem is not None:
            fail(COMMAND, self._problem, status=1)
        accepted = {None} if self._options["asked"] else {None, Trouble.NOT_HERE}
        return 0 if all(each.trouble in accepted for each in self._measurements) else 1

    def _begin(self) -> None:
        self._done = Deferred.fromCoroutine(self._go()).addErrback(self._failed)
        self._done.addBoth(self._stop)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CannotMeasure):
            failure.printTraceback()
        self._problem = failure.getErrorMessage()

    def _stop(self, _: object) -> None:
        self._done = None
        if not self._interrupted:
            self._reactor.stop()

    def _interrupt(self) -> Deferred[None] | None:
        self._interrupted = True
        if self._done is not None:
            self._problem = "interrupted: the figures are those until then"
            if self._bench is not None:
                self._bench.interrupt()
        return self._done

    async def _go(self) -> None:
        with tempfile.TemporaryDirectory(prefix="tlsdemo-bench-") as home:
            certificates = demo_certificates(Path(home), "ecdsa", datetime.now(timezone.utc))
            sink = Program(self._reactor, [sys.executable, "-m", "bench.peers.sink"])
            try:
                port: int = (await sink.line())["port"]
                place = Place(
                    self._reactor, port, self._options["conn"], certificates.server, Path(home)
                )
                load = self._options.load(certificates)
                bench = self._bench = Bench(
                    self._reactor, place, sink, load, self._show, self._tell
                )
                if self._interrupted:
                    return
                self._measurements = await bench.rounds(
                    self._options["peers"], self._options["rounds"]
                )
            finally:
                await sink.stop()

    # Progress.

    def _show(self, title: str, phase: LoadPhase, counters: LoadCounters, elapsed: float) -> None:
        if phase is LoadPhase.STARTING and title != self._title:
            self._title = title
            self._progress = Progress(self._console, title, self._options["conn"])
            self._progress.start()
        if self._progress is not None and (phase in _SHOWN or self._console.is_terminal):
            self._progress.show(phase.value, counters, elapsed)

    def _tell(self, measurement: Measurement) -> None:
        self._end_progress()
        self._console.print(
            f"{self._title}: {measured(measurement)}", highlight=False, soft_wrap=True
        )

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    # The report.

    def _report(self, versions: dict[str, dict[str, str]]) -> None:
        summed = summaries(self._measurements, REFERENCE)
        options = self._options
        print()
        print(
            f"{options['conn']:,} connections, each {options['packets']:,} packets of "
            f"{options['packet-size']} B, every packet a TLS record; median (least to most) of "
            f"{options['rounds']} rounds"
        )
        print(f"{machine()}")
        print()
        print(table(summed, REFERENCE))
        print()
        for line in versions_lines(versions):
            print(line)
        if options["json"] is not None:
            told = {
                "machine": machine(),
                "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "load": {
                    name: options[name]
                    for name in ("conn", "packets", "packet-size", "burst", "rounds")
                },
                "versions": versions,
                "summaries": [each.as_json() for each in summed],
                "measurements": [each.as_json() for each in self._measurements],
            }
            Path(options["json"]).write_text(json.dumps(told, indent=2) + "\n")


def machine() -> str:
    """Say what this machine is, in one line."""
    load = ", ".join(f"{average:.2f}" for average in os.getloadavg())
    return (
        f"{os.cpu_count()} CPUs, {platform.system()} {platform.release()} {platform.machine()}; "
        f"load average {load}"
    )


def main() -> int:
    """Run the command."""
    options = BenchOptions()
    options.parseOptions()
    from twisted.internet import reactor

    return Command(reactor, options, Console()).run()


if __name__ == "__main__":
    sys.exit(main())
