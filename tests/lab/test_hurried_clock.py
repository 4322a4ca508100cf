from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tlsdemo.lab.hurried_clock import HurriedClock


class HurriedClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.called: list[str] = []
        self.reactor = Clock()
        self.clock = HurriedClock(self.reactor)

    def after(self, seconds: float) -> list[str]:
        self.reactor.advance(seconds)
        return self.called

    def test_it_is_an_ordinary_clock_until_it_has_a_limit(self) -> None:
        verifyObject(IReactorTime, self.clock)
        later = self.clock.callLater(5, self.called.append, "later")
        self.assertEqual(self.clock.getDelayedCalls(), [later])
        self.assertEqual(self.after(4.9), [])
        self.assertEqual(self.after(0.2), ["later"])
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.clock.seconds(), self.reactor.seconds())

    def test_a_limit_brings_forward_only_the_calls_that_are_due_later(self) -> None:
        self.clock.callLater(0.1, self.called.append, "soon")
        self.clock.callLater(5, self.called.append, "later")
        self.clock.callLater(5, self.called.append, "never").cancel()
        self.clock.hurry(0.2)
        self.assertEqual(self.after(0.15), ["soon"])
        self.assertEqual(self.after(0.1), ["soon", "later"])

    def test_a_limit_applies_to_later_calls_too(self) -> None:
        self.clock.hurry(0.2)
        self.clock.callLater(5, self.called.append, "later")
        self.assertEqual(self.after(0.25), ["later"])
