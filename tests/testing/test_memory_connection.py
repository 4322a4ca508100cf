from __future__ import annotations

import subprocess
import sys

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.testing import Recorder, connect_in_memory, temporary_certificates
from tlsdemo.tls import ClientTLS, ServerTLS


class AConnectionInMemory(SynchronousTestCase):
    def setUp(self) -> None:
        self.server, self.client = Recorder(), Recorder()

    def test_carries_what_is_said_at_once(self) -> None:
        self.server.on_connected = lambda: self.server.transport.write(b"220 ready")  # type: ignore[union-attr]
        self.client.on_data = lambda _: self.client.transport.write(b"EHLO")  # type: ignore[union-attr]
        connect_in_memory(self.server, self.client)
        self.assertEqual(self.server.log, ["connected", b"EHLO"])
        self.assertEqual(self.client.log, ["connected", b"220 ready"])

    def test_can_be_upgraded_at_both_ends(self) -> None:
        connection = connect_in_memory(self.server, self.client)
        certificates = temporary_certificates()
        connection.server.startTLS(ServerTLS.build(certificates.server))
        connection.client.startTLS(ClientTLS.build(certificates.client, "localhost"))
        connection.client.write(b"secret")
        connection.pump()
        self.assertEqual(self.server.received, [b"secret"])

    def test_ends_at_both_ends(self) -> None:
        connection = connect_in_memory(self.server, self.client)
        connection.client.loseConnection()
        connection.pump()
        self.assertEqual(self.server.log[-1], "lost: ConnectionDone")
        self.assertEqual(self.client.log[-1], "lost: ConnectionDone")

    def test_carries_what_was_sent_as_time_passed(self) -> None:
        clock = Clock()
        connection = connect_in_memory(self.server, self.client, clock)
        clock.callLater(30, connection.server.write, b"time-out")
        connection.advance(29)
        self.assertEqual(self.client.received, [])
        connection.advance(1)
        self.assertEqual(self.client.received, [b"time-out"])


class ThePackage(SynchronousTestCase):
    def test_imports_neither_trial_nor_a_reactor(self) -> None:
        code = (
            "import sys, tlsdemo.testing\n"
            "print([name for name in ('twisted.trial', 'twisted.internet.reactor')"
            " if name in sys.modules])"
        )
        output = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
        self.assertEqual(output.stdout, b"[]\n")
