from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.grouping import by_scenario, grouped, names_of, not_observed, not_tried
from tlsdemo.trace.model import Trace
from tlsdemo.trace.observation import Observation


def cells(*names: str) -> list[Observation]:
    """Return observed cells, from texts like ``mode tls`` (ours) or ``stack tls``."""
    made = []
    for name in names:
        which, tls = name.split()
        ours = which in ("starttls", "pair", "wrapped")
        mode, stack = (which, "tlsdemo") if ours else ("starttls", which)
        made.append(Observation(mode, tls, "ok", stack, traces=[Trace("")]))
    return made


ALL = cells("starttls 1.2", "starttls 1.3", "pair 1.2", "pair 1.3", "node 1.2", "node 1.3")


class Groups(SynchronousTestCase):
    def configurations(self, *alike: int) -> list[str]:
        chosen = [ALL[number] for number in alike]
        groups = grouped(ALL, lambda cell: cell in chosen, names_of(ALL))
        return [group.configurations for group in groups]

    def test_of_all_cells_are_named_all(self) -> None:
        self.assertEqual(self.configurations(*range(6)), ["all"])

    def test_are_named_by_version_if_all_cells_of_a_version_are_equal(self) -> None:
        self.assertEqual(self.configurations(0, 2, 4), ["all with TLS 1.2", "all with TLS 1.3"])

    def test_are_not_all_if_some_were_not_tried(self) -> None:
        names = names_of(ALL)
        (group,) = grouped(ALL[:4], lambda cell: cell.scenario, names)
        self.assertEqual(group.configurations, "starttls, pair")
        self.assertEqual(not_tried(ALL[:4], names), ["node"])
        self.assertEqual(not_tried(ALL, names), [])

    def test_are_named_by_mode_or_stack_if_all_versions_are_equal(self) -> None:
        self.assertEqual(self.configurations(0, 1, 2, 3), ["starttls, pair", "node"])

    def test_are_named_by_both_otherwise(self) -> None:
        self.assertEqual(
            self.configurations(1, 2, 3),
            ["starttls with TLS 1.2; node", "starttls with TLS 1.3; pair"],
        )

    def test_are_represented_by_their_first_cell_in_order_of_appearance(self) -> None:
        groups = grouped(ALL, lambda cell: cell.tls, names_of(ALL))
        self.assertEqual([group.first for group in groups], ALL[:2])
        self.assertEqual(groups[0].cells, (ALL[0], ALL[2], ALL[4]))


class Cells(SynchronousTestCase):
    def test_that_were_not_observed_are_in_no_way_but_named_with_the_reason(self) -> None:
        missing = [Observation("starttls", tls, "ok", "node", "no node") for tls in ("1.2", "1.3")]
        self.assertEqual(by_scenario([*ALL, *missing]), {"ok": ALL})
        self.assertEqual(
            not_observed([*ALL, *missing]), {"no node": ["ok: node, TLS 1.2", "ok: node, TLS 1.3"]}
        )
        self.assertEqual(by_scenario(missing), {})
