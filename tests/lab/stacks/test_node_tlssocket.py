from __future__ import annotations

from tests.lab.stacks.stack_contract import PeerCase, PeerContract


class NodeTLSSocketTests(PeerContract, PeerCase):
    peer = "node-tlssocket"
    writes_before_it_is_secure = True

    def ok(self) -> None:
        # What the original found: the documented event is for clients only.
        self.assertEqual(self.names.count("secure"), 1)
        self.assertNotIn("secureConnect", self.names)
        self.assertNotIn("secureConnection", self.names)
        told = [name for name in self.names if name in ("secure", "data", "end", "close")]
        self.assertEqual(told, ["secure", "data", "end", "close"])
        keys = [event.facts for event in self.events if event.name == "keylog"]
        self.assertTrue(keys)
        self.assertEqual([facts for facts in keys if "text" in facts], [])

    def missing(self) -> None:
        self.assertIn("ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", self.text("error"))

    def garbage(self) -> None:
        self.assertIn("ERR_SSL", self.text("error"))

    def eof(self) -> None:
        # As if all were well.
        self.assertNotIn("error", self.names)
        self.assertEqual(self.names[-1], "close")

    def reset(self) -> None:
        self.assertIn("ECONNRESET", self.text("error"))
