from __future__ import annotations

from tests.lab.stacks.stack_contract import PeerCase, PeerContract


class NodeSecurePairTests(PeerContract, PeerCase):
    peer = "node-securepair"
    writes_before_it_is_secure = True

    def ok(self) -> None:
        self.assertLess(self.names.index("cleartext secure"), self.names.index("secure"))
        self.assertEqual([name for name in self.names if name.endswith("secureConnect")], [])
        self.assertIn("DEP0064", self.text("warning"))

    def missing(self) -> None:
        self.assertIn("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("cleartext error"))

    def garbage(self) -> None:
        self.assertIn("ERR_SSL", self.text("cleartext error"))

    def eof(self) -> None:
        self.assertNotIn("cleartext error", self.names)

    def reset(self) -> None:
        self.assertIn("ECONNRESET", self.text("net.Socket error"))
        self.assertNotIn("cleartext error", self.names)
