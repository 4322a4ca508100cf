from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason


class EndingTests(SynchronousTestCase):
    def test_is_the_name_of_its_cause(self) -> None:
        self.assertEqual(str(CloseReason(Cause.NO_COMMON_CIPHER)), "no common cipher")

    def test_is_followed_by_the_detail_if_there_is_one(self) -> None:
        close_reason = CloseReason(Cause.REJECTED_BY_PEER, "its alert says 'unknown ca'")
        self.assertEqual(str(close_reason), "rejected by peer: its alert says 'unknown ca'")

    def test_is_clean_for_one_cause_only(self) -> None:
        self.assertEqual([cause for cause in Cause if CloseReason(cause).clean], [Cause.CLEAN])
        self.assertEqual(CLEAN, CloseReason(Cause.CLEAN))
        self.assertTrue(CLEAN.clean)


class CauseTests(SynchronousTestCase):
    def test_has_a_name_of_its_own_that_fits_on_a_line(self) -> None:
        names = [cause.value for cause in Cause]
        self.assertEqual(len({*names}), len(Cause.__members__))
        for name in names:
            self.assertRegex(name, "^[a-zA-Z ]+$")
