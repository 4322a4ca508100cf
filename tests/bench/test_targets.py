from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from bench.measures import growth, handshakes, memory, pipeline, records
from bench.samples import Results, Sample
from bench.targets import OURS, Verdict, verdicts


def results_of(measure: str, case: str, metric: str, **values: float) -> list[Sample]:
    return [
        Sample(measure, case, peer.replace("_", "-"), 1, {metric: value})
        for peer, value in values.items()
    ]


class VerdictTests(SynchronousTestCase):
    def found(self, samples: list[Sample], title: str, relation: str) -> list[Verdict]:
        return [
            each
            for each in verdicts(Results({}, samples=samples))
            if (each.target.title, each.relation) == (title, relation)
        ]

    def test_a_ratio_is_to_the_better_of_several(self) -> None:
        samples = results_of(
            records.NAME, records.case_of(200, 32), "cpu_us_a_record",
            pair=0.5, starttls_coalesced=0.8, node_tlssocket=5.0, node_securepair=4.0,
        )  # fmt: skip
        found = self.found(
            samples, "CPU a 32-byte record", "≤ 0.17 \N{MULTIPLICATION SIGN} the better of Node"
        )
        self.assertEqual([each.peer for each in found], list(OURS))
        self.assertEqual([each.value for each in found], [0.125, 0.2])
        self.assertEqual([each.text for each in found], ["reached", "not reached"])

    def test_without_the_other_peer_it_cannot_be_told(self) -> None:
        samples = results_of(
            handshakes.NAME, handshakes.STORM, "cpu_ms_a_handshake", pair=1.0,
            starttls_coalesced=1.0, nginx=1.0,
        )  # fmt: skip
        title = "CPU an mTLS handshake in a storm"
        missing = self.found(samples, title, "≤ 0.85 \N{MULTIPLICATION SIGN} haproxy")
        known = self.found(samples, title, "≤ 0.9 \N{MULTIPLICATION SIGN} nginx")
        self.assertEqual({each.text for each in missing}, {"cannot tell"})
        self.assertEqual({each.text for each in known}, {"not reached"})

    def test_an_absolute_bound_needs_no_other_peer(self) -> None:
        samples = results_of(memory.NAME, memory.case_of(2000), "kib_a_connection", pair=36.0)
        found = self.found(samples, "KiB an idle connection", "≤ 36")
        self.assertEqual([each.text for each in found], ["reached", "cannot tell"])

    def test_growth_is_a_ratio_to_the_same_peer(self) -> None:
        samples = [
            *results_of(growth.NAME, growth.case_of(10), "cpu_us_a_record", pair=1.0),
            *results_of(growth.NAME, growth.case_of(2000), "cpu_us_a_record", pair=1.3),
        ]
        found = self.found(
            samples,
            "CPU a record, 2,000 connections to 10",
            "≤ 1.25 \N{MULTIPLICATION SIGN} 10 connections",
        )
        self.assertEqual((found[0].value, found[0].text), (1.3, "not reached"))

    def test_of_a_rate_more_is_better(self) -> None:
        samples = results_of(
            pipeline.NAME, pipeline.case_of(100), "megabytes_a_second", pair=130.0,
            node_tlssocket=100.0, node_securepair=90.0,
        )  # fmt: skip
        found = self.found(
            samples,
            "Node's own workload, MB/s with writes of 100 B",
            "≥ 1.3 \N{MULTIPLICATION SIGN} the better of Node",
        )
        self.assertEqual((found[0].value, found[0].text), (1.3, "reached"))
