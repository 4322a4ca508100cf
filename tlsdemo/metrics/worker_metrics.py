"""The metrics that only a server of several worker processes has: one sample for each."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from tlsdemo.metrics.workers_figures import WorkersFigures

_LABELS = ("mode", "dialect", "worker")


class WorkerCollector(Collector):
    """Makes the metrics of each worker from ``figures`` each time they are collected."""

    def __init__(self, figures: WorkersFigures) -> None:
        self._figures = figures
        self._server = (figures.kind.mode, figures.kind.dialect)

    def collect(self) -> Iterator[Metric]:
        """Return the metrics; a worker that does not run uses no memory."""
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
        memory = GaugeMetricFamily(
            "tlsdemo_worker_resident_memory_bytes",
            "Resident memory of the worker's process.",
            labels=_LABELS,
        )
        pids = figures.pids()
        for index, ended in enumerate(figures.replaced):
            labels = (*self._server, str(index + 1))
            serving.add_metric(labels, int(figures.is_serving(index)))
            ends.add_metric(labels, ended)
            cpu.add_metric(labels, figures.cpu(index))
            if index in pids:
                memory.add_metric(labels, _resident(pids[index]))
        yield from (serving, ends, cpu, memory)


def _resident(pid: int) -> float:
    # Where there is no /proc, or the process has just ended, nothing is told: 0.
    process = ProcessCollector(pid=lambda: pid, registry=CollectorRegistry())
    for family in process.collect():
        if family.name == "process_resident_memory_bytes":
            return float(family.samples[0].value)
    return 0.0
