from __future__ import annotations

import sys

from tests.lab.stacks.stack_contract import PeerCase, PeerContract


class AsyncioStartTLSTests(PeerContract, PeerCase):
    peer = "asyncio-start_tls"
    writes_before_it_is_secure = False

    def ok(self) -> None:
        self.assertEqual(self.names[:2], ["connection_made", "start_tls called"])
        # Which of the two is first is a race: whether the data came along with Finished.
        self.assertEqual(sorted(self.names[2:4]), ["data_received", "start_tls returned"])
        # A close_notify is an eof_received since Python 3.11 only.
        eof = ["eof_received"] if sys.version_info >= (3, 11) else []
        self.assertEqual(self.names[4:], [*eof, "connection_lost"])
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
