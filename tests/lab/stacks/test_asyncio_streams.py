from __future__ import annotations

from tests.lab.stacks.stack_contract import PeerCase, PeerContract


class AsyncioStreamsTests(PeerContract, PeerCase):
    peer = "asyncio-streams"
    writes_before_it_is_secure = False

    def ok(self) -> None:
        self.assertEqual(
            self.names,
            [
                *("client_connected_cb", "start_tls called", "start_tls returned"),
                *("read returned", "write called", "drain returned"),
                *("read returned", "wait_closed returned"),
            ],
        )
        self.assertEqual(self.events[6].facts["text"], "b''")

    def missing(self) -> None:
        self.assertIn("PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("start_tls raised"))

    def garbage(self) -> None:
        self.assertIn("SSLError", self.text("start_tls raised"))

    def eof(self) -> None:
        self.assertEqual(self.text("start_tls raised"), "ConnectionResetError")

    def reset(self) -> None:
        self.assertIn("ConnectionResetError", self.text("start_tls raised"))
