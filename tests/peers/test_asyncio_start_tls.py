from __future__ import annotations

from tests.peers.contracts import PeerCase, PeerContract


class AsyncioStartTLSTests(PeerContract, PeerCase):
    peer = "asyncio-start_tls"
    writes_before_it_is_secure = False

    def ok(self) -> None:
        self.assertEqual(
            self.names,
            [
                *("connection_made", "start_tls called", "start_tls returned"),
                *("data_received", "eof_received", "connection_lost"),
            ],
        )
        self.assertEqual(self.text("connection_lost"), "None")

    def missing(self) -> None:
        self.assertEqual(
            self.names[:3], ["connection_made", "start_tls called", "start_tls raised"]
        )
        self.assertIn("PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("start_tls raised"))

    def garbage(self) -> None:
        self.assertIn("SSLError", self.text("start_tls raised"))

    def eof(self) -> None:
        self.assertEqual(self.text("start_tls raised"), "ConnectionResetError")

    def reset(self) -> None:
        self.assertIn("ConnectionResetError", self.text("start_tls raised"))
