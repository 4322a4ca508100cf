from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.hopeless import FAILURES, is_hopeless
from tlsdemo.reporting.load_counters import LoadCounters


class Hopeless(SynchronousTestCase):
    def test_is_a_load_whose_first_connection_fails_as_every_other_would(self) -> None:
        for cause in ("connection refused", "plain bytes instead of TLS", "certificate untrusted",
                      "wrong name", "rejected by peer", "name not resolved"):  # fmt: skip
            self.assertTrue(is_hopeless(LoadCounters(begun=9, failed={cause: 1})), cause)

    def test_is_none_that_has_not_begun_or_secured_a_connection(self) -> None:
        failed = {"connection refused": 500}
        for counters in (
            LoadCounters(),
            LoadCounters(secured=1, failed=failed),
            LoadCounters(clean=1, failed=failed),
        ):
            self.assertFalse(is_hopeless(counters))

    def test_is_one_with_other_causes_only_after_some_failures(self) -> None:
        for failures, hopeless in ((1, False), (FAILURES - 1, False), (FAILURES, True)):
            failed = {"handshake timeout": failures}
            self.assertEqual(is_hopeless(LoadCounters(failed=failed)), hopeless)
        mixed = {"connection refused": 3, "connection reset": 1}
        self.assertFalse(is_hopeless(LoadCounters(failed=mixed)))
