from __future__ import annotations

from tests.lab.stacks.stack_contract import PeerCase, PeerContract

SECURED = ("handshakeCompleted", "dataReceived", "connectionLost")


class TwistedPairTests(PeerContract, PeerCase):
    peer = "twisted-pair"
    writes_before_it_is_secure = True

    def ok(self) -> None:
        told = [name for name in self.names if not name.startswith("wire ")]
        self.assertEqual(
            told, ["makeConnection called", "connectionMade", "makeConnection returned", *SECURED]
        )
        self.assertTrue(self.text("connectionLost").startswith("ConnectionDone"))

    def missing(self) -> None:
        self.assertEqual(self.names[-1], "connectionLost")
        self.assertIn("peer did not return a certificate", self.text("connectionLost"))

    def garbage(self) -> None:
        self.assertIn("Error: [('SSL routines'", self.text("connectionLost"))

    def eof(self) -> None:
        self.assertTrue(self.text("connectionLost").startswith("ConnectionLost"))

    def reset(self) -> None:
        self.eof()
