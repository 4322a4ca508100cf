"""docs/json.md names every field of every document."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from tests.gate.test_verdict import ALPN, verdict
from tests.loadgen.test_shard import plan
from tests.reporting.load_results import run
from tests.reporting.test_shard_result import shard
from tests.reporting.traces import arrow, mark
from tests.test_docs import read
from tlsdemo.cli.readiness_run import document as readiness_document
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.metrics.reading import Reading
from tlsdemo.net.json_log import json_text
from tlsdemo.reporting.confidence import Ratio
from tlsdemo.reporting.cost_differences import METRICS, Difference
from tlsdemo.reporting.event_matrix import EventMatrix
from tlsdemo.reporting.finding_comparison import comparison_json
from tlsdemo.reporting.finding_result import Evidence, FindingResult
from tlsdemo.reporting.finding_result import Verdict as FindingVerdict
from tlsdemo.reporting.readiness_result import CheckResult, Verdict
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.trace.model import End, Trace, fields_of, lines_of
from tlsdemo.trace.observation import Observation

# What is in these has names of its own: of libraries, causes, groups, facts, latencies.
NAMED_BY_CONTENT = {"versions", "failed", "server_failed", "groups", "details", "facts", "fields",
                    "latencies", "histograms", "states", "parts", "here", "there"}  # fmt: skip


def names(document: object, inside: str = "") -> Iterator[str]:
    """The names of all fields in a document."""
    if isinstance(document, dict):
        for name, value in document.items():
            if inside not in NAMED_BY_CONTENT:
                yield name
            yield from names(value, name)
    elif isinstance(document, Iterable) and not isinstance(document, str):
        for each in document:
            yield from names(each, inside)


class ThePage(SynchronousTestCase):
    def section(self, heading: str) -> set[str]:
        page = read("docs/json.md")
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.M | re.S)
        assert found is not None, heading
        return {*re.findall(r"`(\w+)`", found[1]), "versions"}

    def check(self, heading: str, *documents: Any) -> None:
        missing = {name for each in documents for name in names(each)} - self.section(heading)
        self.assertEqual(missing, set(), f"name them in docs/json.md, section {heading}")

    def test_has_all_of_a_load(self) -> None:
        ratio = Ratio(1.0, 0.9, 1.1, 5)
        difference = Difference("pair", METRICS[0], 1.0, 1.0, ratio).as_json()
        checks = [CheckResult("in one piece", Verdict.PASSED)]
        self.check(
            "tlsdemo run and twistd tlsclient",
            {"schema": 1, "command": "", "began": "", "runs": [{"target": "", "round": 1}]},
            run().as_json(),
            {"against": [{"name": "", "versions": {}, "differences": [difference]}]},
            readiness_document("", "smtp", checks),
        )

    def test_has_all_of_a_shard(self) -> None:
        self.check(
            "Shards: tlsclient --shard, --cluster and tlsdemo merge",
            dict.fromkeys(plan().as_json()),
            {"shard": shard().header_as_json(), "shards": []},
        )

    def test_has_all_of_events(self) -> None:
        trace = Trace("", {}, [mark(End.CLIENT, 0.0, "secure"), arrow()])
        cells = [Observation("pair", "1.3", "ok", "tlsdemo", "", [trace])]
        matrix = EventMatrix(cells, {}, {}).as_json()
        for cell in matrix["cells"]:
            cell["trace"] = []
        self.check("tlsdemo events", matrix)

    def test_has_all_of_findings(self) -> None:
        def outcome(found: FindingVerdict) -> dict[str, Any]:
            description = next(iter(FINDINGS.values())).description
            evidence = Evidence(found, ("so",))
            return {"findings": [FindingResult(description, evidence, 1.0).as_json()]}

        here, there = FindingVerdict.STILL_SO, FindingVerdict.NO_LONGER_SO
        document = comparison_json(outcome(here), {"there": outcome(there)})
        self.assertTrue(document["against"][0]["differences"])
        self.check("tlsdemo findings", document)

    def test_has_all_of_the_gate(self) -> None:
        self.check("tlsdemo gate", {"against": [verdict(ALPN).as_json()]})

    def test_has_all_of_a_trace(self) -> None:
        trace = Trace("", {}, [mark(End.CLIENT, 0.0, "secure"), arrow()])
        lines = [json.loads(line) for line in lines_of(1, trace)]
        self.check("Traces", *lines, *map(fields_of, trace.seen))

    def test_has_all_of_the_log(self) -> None:
        event = {"log_format": "{a}", "a": 1, "log_level": LogLevel.info, "log_time": 0.0}
        self.check("The log", json.loads(json_text(event) or ""), {"failure": ""})

    def test_has_all_figures_of_a_server(self) -> None:
        self.check("The figures of a running server", Reading(Snapshot()).as_json())
