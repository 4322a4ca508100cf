"""What docs/ says of the metrics is what a server has."""

from __future__ import annotations

import json
import os
import re

from prometheus_client.openmetrics.parser import text_string_to_metric_families
from twisted.internet import reactor

from tests.metrics.loopback_metrics import MeteredCase
from tests.test_architecture import ROOT
from tlsdemo.close_reasons import Cause
from tlsdemo.metrics.prometheus import exposition, registry_of
from tlsdemo.metrics.server_figures import STATES
from tlsdemo.metrics.worker_metrics import WorkerCollector
from tlsdemo.metrics.workers_figures import WorkersFigures
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.workers import Workers
from tlsdemo.tls import ConnectionInfo, ModeName

NAME = re.compile(r"\b(?:tlsdemo|process|python)_\w+")


class Documents(MeteredCase):
    def setUp(self) -> None:
        super().setUp()
        server, figures = self.metered(ModeName.STARTTLS, handler=HandlerName.PROXY)
        figures.meter.secure(0.1, ConnectionInfo("TLSv1.3", "C", None, None, None))
        workers = Workers(server._settings, reactor, 1, lambda *_: [])
        of_workers = WorkerCollector(WorkersFigures(workers, server._settings))
        # Of a process that runs.
        self.patch(WorkersFigures, "pids", lambda _: {0: os.getpid()})
        text, _ = exposition(registry_of(figures, of_workers), "application/openmetrics-text")
        self.families = list(text_string_to_metric_families(text.decode()))
        self.samples = {sample.name for family in self.families for sample in family.samples}
        self.labels = {
            name: set(sample.labels)
            for family in self.families
            for sample in family.samples
            for name in (family.name, sample.name)
        }

    def read(self, name: str) -> str:
        return (ROOT / "docs" / name).read_text(encoding="utf-8")

    def test_the_table_has_every_metric_with_its_type_and_labels(self) -> None:
        told = {}
        for row in re.findall(r"^\| (`tlsdemo_.*) \|$", self.read("metrics.md"), re.MULTILINE):
            name, kind, labels, _ = (each.strip(" `") for each in row.split("|"))
            told[name] = kind.split(",")[0], frozenset(re.findall(r"\w+", labels))
        found = {}
        for family in self.families:
            if not family.name.startswith("tlsdemo_"):
                continue
            labels = self.labels[family.name] - {"mode", "dialect", "le"}
            name, kind = family.name, family.type
            if kind == "counter":
                name += "_total"
            elif kind == "info":
                name, kind, labels = f"{name}_info", "gauge", {"the", "versions"}
            found[name] = kind, frozenset(labels)
        self.assertEqual(told, found)

    def test_the_dashboard_names_only_metrics_that_exist(self) -> None:
        self.check(self.expressions())

    def test_the_dashboard_shows_every_metric(self) -> None:
        shown = set(NAME.findall(" ".join(self.expressions())))
        for family in self.families:
            if family.name.startswith("tlsdemo_"):
                self.assertTrue(any(name.startswith(family.name) for name in shown), family.name)

    def test_the_dashboard_has_no_two_panels_in_one_place(self) -> None:
        taken: set[tuple[int, int]] = set()
        for panel in self.dashboard()["panels"]:
            place = panel["gridPos"]
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            self.assertEqual(taken & cells, set(), panel["title"])
            self.assertLessEqual(place["x"] + place["w"], 24)
            taken |= cells

    def test_the_alerts_name_only_metrics_and_causes_that_exist(self) -> None:
        expressions = re.findall(
            r"^ +expr: (?:\|\n((?: {10,}.*\n)+)|(.*)\n)", self.read("metrics/alerts.yml"), re.M
        )
        self.assertGreater(len(expressions), 5)
        self.check([several or one for several, one in expressions])

    def dashboard(self) -> dict[str, list[dict[str, dict[str, int]]]]:
        found: dict[str, list[dict[str, dict[str, int]]]] = json.loads(
            self.read("metrics/dashboard.json")
        )
        return found

    def expressions(self) -> list[str]:
        return re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', self.read("metrics/dashboard.json"))

    def check(self, expressions: list[str]) -> None:
        """Fail unless metrics, labels, causes and states in ``expressions`` exist."""
        causes = {cause.value for cause in Cause}
        for expression in expressions:
            expression = expression.replace('\\"', '"')
            names = NAME.findall(expression)
            self.assertEqual(set(names) - self.samples, set(), expression)
            labels = set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', expression))
            for group in re.findall(r"\bby \(([^)]*)\)", expression):
                labels |= set(group.split(", "))
            known = {"job", "instance"}.union(*(self.labels[name] for name in names))
            self.assertEqual(labels - known, set(), expression)
            for text in re.findall(r'cause\s*(?:=~|!~|!=|=)\s*"([^"]*)"', expression):
                self.assertEqual(set(text.split("|")) - causes, set(), expression)
            for text in re.findall(r'state\s*(?:=~|!~|!=|=)\s*"([^"]*)"', expression):
                self.assertEqual(set(text.split("|")) - set(STATES.values()), set(), expression)
