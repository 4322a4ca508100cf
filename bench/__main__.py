"""``python -m bench``: all proxies under the same load, and a table of the CPU time of each."""

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

from bench.measure import Bench, Load
from bench.measurements import Fault, Measurement, summaries
from bench.peers.catalogue import PEERS, REFERENCE, Setup, baseline_of, with_baselines
from bench.process import CannotMeasure, Program
from bench.table import measured, table, versions_lines
from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates
from tlsdemo.cli.options import Options, fail, seconds, whole
from tlsdemo.cli.standard_output import guarded
from tlsdemo.loadgen.controller import LoadPhase
from tlsdemo.loadgen.schedule import SPARE_DESCRIPTORS, Task, default_workers, descriptors_needed
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.load_progress import LoadProgress
from tlsdemo.reporting.progress import Progress, standard_error
from tlsdemo.reporting.terminal import console_of

COMMAND = "python -m bench"


class BenchOptions(Options):
    """The options of the benchmark."""

    command = COMMAND

    synopsis = f"Usage: {COMMAND} [options]"

    longdesc = (
        "Puts the same load on one proxy after the other, in several rounds, and prints the CPU "
        "time that each takes for a handshake, for a TLS record, and for a MB of cleartext. Every "
        "proxy is a process that secures accepted plain connections, requires a client "
        "certificate, and forwards the cleartext to the same plain sink. Ratios are to "
        f"{REFERENCE} in the same round, or to the --baseline. Everything runs on the loopback "
        "interface. The exit status is 0 only if every measurement is valid: all connections were "
        "secured and every byte arrived. A program that is not installed is an error only if it "
        "was named with --peer."
    )

    optParameters: ClassVar[list[list[Any]]] = [
        ["conn", "c", 200, "Number of connections to each proxy.", whole(1, 1_000_000)],
        ["packets", None, 2000, "Number of packets that each connection sends.", whole(1)],
        ["packet-size", None, 32, "Bytes in a packet; each packet becomes a TLS record.",
         whole(1, 1 << 14)],
        ["burst", None, 64, "Packets that a connection writes before the next one does, and so "
         "about what a proxy reads at once. 1 is the worst case for every proxy.",
         whole(1)],
        ["rounds", "r", 3, "Number of times that each proxy is measured.", whole(1, 1000)],
        ["workers", None, None, "Number of client processes. [default: the number of CPUs less "
         "1, at least 1]", whole(1, 1024)],
        ["limit", None, 120.0, "Seconds after which a measurement is aborted.",
         seconds(1.0)],
        ["json", None, None, "Also write every measurement to this file."],
        ["baseline", None, None, "Another checkout of tlsdemo: before each proxy that is tlsdemo, "
         "measure the same one of that checkout, and compare with it."],
    ]  # fmt: skip

    def opt_peer(self, name: str) -> None:
        """Measure only this proxy; repeat it for more."""
        if name not in PEERS:
            raise usage.UsageError(f"--peer is {name!r}, none of {', '.join(PEERS)}")
        self["peers"] = [*self.get("peers", []), PEERS[name]]

    def getUsage(self, width: int | None = None) -> str:
        """Return the help, with a list of the proxies."""
        longest = max(map(len, PEERS))
        peers = "".join(f"  {peer.name:{longest}}  {peer.about}\n" for peer in PEERS.values())
        return (
            f"{super().getUsage(width)}\nProxies, in the order in which they are measured:\n{peers}"
        )

    def postOptions(self) -> None:
        """Check options that depend on each other."""
        self["named"] = "peers" in self
        self["peers"] = list(dict.fromkeys(self.get("peers", PEERS.values())))
        if self["baseline"] is not None:
            checkout = Path(self["baseline"]).absolute()
            if not (checkout / "tlsdemo" / "tap.py").is_file():
                raise usage.UsageError(f"--baseline is {str(checkout)!r}, no checkout of tlsdemo")
            self["peers"] = list(with_baselines(self["peers"], checkout))
        if self["json"] is not None and not Path(self["json"]).absolute().parent.is_dir():
            raise usage.UsageError(f"--json is {self['json']}, and that folder does not exist")

    def load(self, certificates: DemoCertificates) -> Load:
        """Return the load; exits if the process may not have enough file descriptors."""
        workers = self["workers"] or default_workers(os.cpu_count() or 1)
        # A proxy needs two descriptors for each connection, a worker only one.
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
    """One run of the command."""

    def __init__(self, reactor: Any, options: BenchOptions, console: Console) -> None:
        self._reactor = reactor
        self._options = options
        self._console = console
        self._bench: Bench | None = None
        self._progress = Progress(standard_error())
        self._shown: LoadProgress | None = None
        self._title = ""
        self._done: Deferred[None] | None = None
        self._interrupted = False
        self._problem: str | None = None
        self._measurements: list[Measurement] = []

    def run(self) -> int:
        """Run the reactor until everything is done; return the exit status."""
        self._reactor.callWhenRunning(self._begin)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._interrupt)
        self._reactor.run()
        self._progress.clear()
        if self._measurements and self._bench is not None:
            self._report(self._bench.versions)
        if self._problem is not None:
            fail(COMMAND, self._problem, status=1)
        accepted = {None} if self._options["named"] else {None, Fault.NOT_INSTALLED}
        return 0 if all(each.invalid in accepted for each in self._measurements) else 1

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
            self._problem = "interrupted: the results are incomplete"
            if self._bench is not None:
                self._bench.interrupt()
        return self._done

    async def _go(self) -> None:
        with tempfile.TemporaryDirectory(prefix="tlsdemo-bench-") as home:
            certificates = demo_certificates(Path(home), "ecdsa", datetime.now(timezone.utc))
            sink = Program(self._reactor, [sys.executable, "-m", "bench.peers.sink"])
            try:
                port: int = (await sink.line())["port"]
                setup = Setup(
                    self._reactor, port, self._options["conn"], certificates.server, Path(home)
                )
                load = self._options.load(certificates)
                bench = self._bench = Bench(
                    self._reactor, setup, sink, load, self._on_progress, self._on_measured
                )
                if self._interrupted:
                    return
                self._measurements = await bench.rounds(
                    self._options["peers"], self._options["rounds"]
                )
            finally:
                await sink.stop()

    # Progress.

    def _on_progress(
        self, title: str, phase: LoadPhase, counters: LoadCounters, elapsed: float
    ) -> None:
        if phase is LoadPhase.STARTING and title != self._title:
            self._title = title
            self._progress.title = title
            options = self._options
            self._shown = LoadProgress(self._progress, options["conn"], packets=options["packets"])
        if self._shown is not None:
            self._shown.show(phase.value, counters, elapsed)

    def _on_measured(self, measurement: Measurement) -> None:
        self._progress.clear()
        self._console.print(
            f"{self._title}: {measured(measurement)}", highlight=False, soft_wrap=True
        )

    # The report.

    def _report(self, versions: dict[str, dict[str, str]]) -> None:
        options = self._options
        names = dict.fromkeys(each.peer for each in self._measurements)
        if options["baseline"] is None:
            reference, references = REFERENCE, dict.fromkeys(names, REFERENCE)
        else:
            reference, references = "baseline", {name: baseline_of(name) for name in names}
        summed = summaries(self._measurements, references)
        print()
        print(
            f"{options['conn']:,} connections, each {options['packets']:,} packets of "
            f"{options['packet-size']} B, every packet a TLS record; median (min to max) of "
            f"{options['rounds']} rounds"
        )
        print(f"{machine()}")
        print()
        print(table(summed, reference))
        print()
        for line in versions_lines(versions):
            print(line)
        if options["json"] is not None:
            report = {
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
            Path(options["json"]).write_text(json.dumps(report, indent=2) + "\n")


def machine() -> str:
    """Describe this machine in one line."""
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

    return Command(reactor, options, console_of(sys.stdout)).run()


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
