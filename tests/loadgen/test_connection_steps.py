from __future__ import annotations

from types import SimpleNamespace

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.loadgen.connection_steps import ConnectionSteps
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.reporting.latencies import HANDSHAKE
from tlsdemo.tls import MODES, ModeName


class Handshake(SynchronousTestCase):
    def test_begins_with_what_we_send_whatever_the_server_has_sent_before(self) -> None:
        clock = Clock()
        recorder = Recorder(clock.seconds)
        mode = MODES[ModeName.STARTTLS]
        steps = ConnectionSteps(recorder, 0.0, mode, negotiates=False)
        steps.event(mode.called)
        steps.wire(False, b"too early")
        clock.advance(4.0)
        steps.wire(True, b"ClientHello")
        clock.advance(2.0)
        steps.event("secure", info=SimpleNamespace(group="x25519"))
        measured = recorder.take()[0].at(HANDSHAKE, 50.0)
        assert measured is not None
        self.assertAlmostEqual(measured, 2.0, places=2)
