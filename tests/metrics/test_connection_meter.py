from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.metrics.connection_meter import MOST_AGREED, ConnectionMeter
from tlsdemo.metrics.figures import OTHER, Agreed
from tlsdemo.tls import MODES, ConnectionInfo, ModeName


def info(group: str | None = "X25519", upgraded: bool = True) -> ConnectionInfo:
    return ConnectionInfo("TLSv1.3", "C", None, "sni.example", "CN=x", upgraded, group)


class ConnectionMeterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.meter = ConnectionMeter(MODES[ModeName.STARTTLS])

    def observer(self) -> Any:
        return self.meter.watch(1, "192.0.2.1:5", self.clock.seconds)

    def test_measures_the_upgrade_and_then_the_handshake(self) -> None:
        observer = self.observer()
        observer.event("connected")
        self.clock.advance(0.25)
        observer.event("startTLS called")
        self.clock.advance(2.0)
        observer.event("handshakeCompleted")
        observer.event("secure", info=info())
        self.assertEqual((self.meter.upgrades.count, self.meter.upgrades.sum), (1, 0.25))
        self.assertEqual((self.meter.handshakes.count, self.meter.handshakes.sum), (1, 2.0))

    def test_a_handshake_that_fails_is_not_measured(self) -> None:
        observer = self.observer()
        observer.event("startTLS called")
        observer.event("insecure", reason=None)
        self.assertEqual(self.meter.handshakes.count, 0)

    def test_counts_what_was_agreed_on(self) -> None:
        for each in (info(), info(), info(upgraded=False), info(group=None)):
            self.observer().event("secure", info=each)
        self.assertEqual(
            self.meter.agreed,
            {
                Agreed("TLSv1.3", "X25519", True): 2,
                Agreed("TLSv1.3", "X25519", False): 1,
                Agreed("TLSv1.3", "unknown", True): 1,
            },
        )

    def test_the_number_of_different_agreements_is_bounded(self) -> None:
        for number in range(MOST_AGREED + 10):
            self.observer().event("secure", info=info(f"group{number}"))
        self.assertEqual(len(self.meter.agreed), MOST_AGREED + 1)
        self.assertEqual(self.meter.agreed[OTHER], 10)

    def test_wants_no_details(self) -> None:
        self.assertFalse(self.observer().detailed)
