from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tests.tls.memory_ends import End, foreign_client, foreign_server
from tlsdemo.tls import ClientTLS, KeyLog, ModeName, ServerTLS


class KeyLogTests(SynchronousTestCase):
    def test_secrets_are_appended_line_by_line(self) -> None:
        lines: list[bytes] = []
        for tls, peer in (
            (ServerTLS.build(certificates().server, preparations=[KeyLog(lines.append)]),
             foreign_client()),
            (ClientTLS.build(certificates().client, "localhost",
                             preparations=[KeyLog(lines.append)]), foreign_server()),
        ):  # fmt: skip
            lines.clear()
            End(ModeName.PAIR, tls).begin().exchange_with(peer)
            self.assertIn(b"CLIENT_TRAFFIC_SECRET_0", {line.split()[0] for line in lines})
            for line in lines:
                self.assertRegex(line, rb"^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}\n$")
