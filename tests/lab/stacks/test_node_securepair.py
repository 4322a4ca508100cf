from __future__ import annotations

from tests.lab.stacks.stack_contract import StackCase, StackContract


class NodeSecurePairTests(StackContract, StackCase):
    stack = "node-securepair"
    writes_before_it_is_secure = True

    def check_echo(self) -> None:
        self.assertLess(self.names.index("cleartext secure"), self.names.index("secure"))
        self.assertEqual([name for name in self.names if name.endswith("secureConnect")], [])
        self.assertIn("DEP0064", self.text("warning"))

    def check_missing_certificate(self) -> None:
        self.assertIn("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("cleartext error"))

    def check_garbage(self) -> None:
        self.assertIn("ERR_SSL", self.text("cleartext error"))

    def check_fin(self) -> None:
        self.assertNotIn("cleartext error", self.names)

    def check_reset(self) -> None:
        self.assertIn("ECONNRESET", self.text("net.Socket error"))
        self.assertNotIn("cleartext error", self.names)
