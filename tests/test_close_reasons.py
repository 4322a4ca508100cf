from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason


class CloseReasonTests(SynchronousTestCase):
    def test_the_text_is_the_name_of_the_cause(self) -> None:
        self.assertEqual(str(CloseReason(Cause.NO_COMMON_CIPHER)), "no common cipher")

    def test_details_follow_the_name_of_the_cause(self) -> None:
        close_reason = CloseReason(Cause.REJECTED_BY_PEER, "its alert says 'unknown ca'")
        self.assertEqual(str(close_reason), "rejected by peer: its alert says 'unknown ca'")

    def test_only_one_cause_is_clean(self) -> None:
        self.assertEqual([cause for cause in Cause if CloseReason(cause).clean], [Cause.CLEAN])
        self.assertEqual(CLEAN, CloseReason(Cause.CLEAN))
        self.assertTrue(CLEAN.clean)


class CauseTests(SynchronousTestCase):
    def test_each_cause_has_a_unique_name_of_plain_words(self) -> None:
        names = [cause.value for cause in Cause]
        self.assertEqual(len({*names}), len(Cause.__members__))
        for name in names:
            self.assertRegex(name, "^[a-zA-Z ]+$")
