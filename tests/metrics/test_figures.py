from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.metrics.figures import OTHER, Agreed, Figures
from tlsdemo.metrics.histogram import Histogram

TLS13 = Agreed("TLSv1.3", "X25519", True)


def figures(*values: float) -> Figures:
    found = Figures({"open": len(values)}, agreed={TLS13: len(values), OTHER: 1})
    for value in values:
        found.handshakes.add(value)
        found.upgrades.add(value / 2)
        found.lag.add(value * 2)
    return found


class FiguresTests(SynchronousTestCase):
    def test_those_of_several_are_those_of_one_that_has_measured_all(self) -> None:
        # Sums of powers of two are exact.
        total = Figures.total([figures(0.25, 64.0), figures(), figures(0.0625)])
        whole = figures(0.25, 64.0, 0.0625)
        for name in ("handshakes", "upgrades", "lag"):
            self.assertEqual(getattr(total, name).as_json(), getattr(whole, name).as_json(), name)
        self.assertEqual(total.states, {"open": 3})
        self.assertEqual(total.agreed, {TLS13: 3, OTHER: 3})

    def test_adding_up_changes_none_of_them(self) -> None:
        one, other = figures(0.25), figures(1.0)
        before = one.as_json(), other.as_json()
        Figures.total([one, other]).handshakes.add(3.0)
        self.assertEqual((one.as_json(), other.as_json()), before)

    def test_are_told_as_json(self) -> None:
        told = figures(0.25, 64.0)
        read = Figures.from_json(json.loads(json.dumps(told.as_json())))
        self.assertEqual(read.as_json(), told.as_json())
        self.assertEqual(read.agreed, told.agreed)

    def test_of_other_buckets_are_refused(self) -> None:
        told = figures().as_json()
        told["lag"] = Histogram([1.0]).as_json()
        self.assertRaises(ValueError, Figures.from_json, told)
