from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.grouping import by_scenario, grouped, not_seen
from tlsdemo.trace.model import Trace
from tlsdemo.trace.observation import Observation


def cells(*names: str) -> list[Observation]:
    """``mode tls`` of ours, or ``peer tls`` of a foreign one, all seen."""
    made = []
    for name in names:
        who, tls = name.split()
        ours = who in ("starttls", "pair", "wrapped")
        mode, peer = (who, "tlsdemo") if ours else ("starttls", who)
        made.append(Observation(mode, tls, "ok", peer, traces=[Trace("")]))
    return made


ALL = cells("starttls 1.2", "starttls 1.3", "pair 1.2", "pair 1.3", "node 1.2", "node 1.3")


class Groups(SynchronousTestCase):
    def where(self, *alike: int) -> list[str]:
        chosen = [ALL[number] for number in alike]
        return [group.where for group in grouped(ALL, lambda cell: cell in chosen)]

    def test_are_everywhere(self) -> None:
        self.assertEqual(self.where(*range(6)), ["everywhere"])

    def test_are_named_by_version_where_all_of_one_are_alike(self) -> None:
        self.assertEqual(self.where(0, 2, 4), ["TLS 1.2", "TLS 1.3"])

    def test_are_named_by_mode_or_program_where_all_versions_are_alike(self) -> None:
        self.assertEqual(self.where(0, 1, 2, 3), ["starttls, pair", "node"])

    def test_are_named_by_both_otherwise(self) -> None:
        self.assertEqual(
            self.where(1, 2, 3), ["starttls with TLS 1.2; node", "starttls with TLS 1.3; pair"]
        )

    def test_have_one_that_stands_for_all_in_the_order_they_come(self) -> None:
        groups = grouped(ALL, lambda cell: cell.tls)
        self.assertEqual([group.first for group in groups], ALL[:2])
        self.assertEqual(groups[0].cells, (ALL[0], ALL[2], ALL[4]))


class Cells(SynchronousTestCase):
    def test_that_were_not_seen_are_in_no_way_but_named_with_the_reason(self) -> None:
        missing = [Observation("starttls", tls, "ok", "node", "no node") for tls in ("1.2", "1.3")]
        self.assertEqual(by_scenario([*ALL, *missing]), {"ok": ALL})
        self.assertEqual(
            not_seen([*ALL, *missing]), {"no node": ["ok: node, TLS 1.2", "ok: node, TLS 1.3"]}
        )
        self.assertEqual(by_scenario(missing), {})
