from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.sockets import without_delay


class WithoutDelay(SynchronousTestCase):
    def test_is_asked_of_a_transport_that_has_it(self) -> None:
        asked: list[bool] = []

        class Tcp:
            def setTcpNoDelay(self, enabled: bool) -> None:
                asked.append(enabled)

        without_delay(Tcp())
        without_delay(object())
        self.assertEqual(asked, [True])
