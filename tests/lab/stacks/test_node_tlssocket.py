from __future__ import annotations

from tests.lab.stacks.stack_contract import StackCase, StackContract


class NodeTLSSocketTests(StackContract, StackCase):
    stack = "node-tlssocket"
    writes_before_it_is_secure = True

    def check_echo(self) -> None:
        # The documented event, secureConnect, is for clients only.
        self.assertEqual(self.names.count("secure"), 1)
        self.assertNotIn("secureConnect", self.names)
        self.assertNotIn("secureConnection", self.names)
        names = [name for name in self.names if name in ("secure", "data", "end", "close")]
        self.assertEqual(names, ["secure", "data", "end", "close"])
        keys = [event.facts for event in self.events if event.name == "keylog"]
        self.assertTrue(keys)
        self.assertEqual([facts for facts in keys if "text" in facts], [])

    def check_missing_certificate(self) -> None:
        self.assertIn("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("error"))

    def check_garbage(self) -> None:
        self.assertIn("ERR_SSL", self.text("error"))

    def check_fin(self) -> None:
        # There is no sign of an error.
        self.assertNotIn("error", self.names)
        self.assertEqual(self.names[-1], "close")

    def check_reset(self) -> None:
        self.assertIn("ECONNRESET", self.text("error"))
