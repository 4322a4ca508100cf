"""The metrics that only a server of several worker processes has: one sample for each."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from tlsdemo.metrics.workers_figures import WorkersFigures

_LABELS = ("mode", "dialect", "worker")

_OF_PROCESS = {
    "resident_memory_bytes": "Resident memory of the worker's process.",
    "open_fds": "Open file descriptors of the worker's process.",
    "max_fds": "File descriptors that the worker's process may open.",
}
"""What is told of a process that runs, by the name that it has without ``process_``."""


class WorkerCollector(Collector):
    """Makes the metrics of each worker from ``figures`` each time they are collected."""

    def __init__(self, figures: WorkersFigures) -> None:
        self._figures = figures
        self._server = (figures.kind.mode, figures.kind.dialect)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics; a worker that does not run has no process."""
        figures = self._figures
        serving = GaugeMetricFamily(
            "tlsdemo_worker_serving",
            "1 if the worker has answered when it was asked last, else 0.",
            labels=_LABELS,
        )
        ends = CounterMetricFamily(
            "tlsdemo_worker_ends", "Processes of this worker that have ended.", labels=_LABELS
        )
        cpu = CounterMetricFamily(
            "tlsdemo_worker_cpu_seconds",
            "User and system time of the worker, and of those that it has replaced.",
            labels=_LABELS,
        )
        of_process = {
            name: GaugeMetricFamily(f"tlsdemo_worker_{name}", text, labels=_LABELS)
            for name, text in _OF_PROCESS.items()
        }
        pids = figures.pids()
        for index, ended in enumerate(figures.replaced):
            labels = (*self._server, str(index + 1))
            serving.add_metric(labels, int(figures.is_serving(index)))
            ends.add_metric(labels, ended)
            cpu.add_metric(labels, figures.cpu(index))
            for name, value in _process(pids.get(index)):
                of_process[name].add_metric(labels, value)
        yield from (serving, ends, cpu, *of_process.values())


def _process(pid: int | None) -> Iterator[tuple[str, float]]:
    # Where there is no /proc, or the process has just ended, nothing is told.
    if pid is not None:
        process = ProcessCollector(pid=lambda: pid, registry=CollectorRegistry())
        for family in process.collect():
            name = family.name.removeprefix("process_")
            if name in _OF_PROCESS:
                yield name, family.samples[0].value
