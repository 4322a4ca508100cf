"""The demonstration's certificates, in the eyes of a strict verifier: GnuTLS."""

from __future__ import annotations

from interop.attempts import tried
from interop.peers import InteropCase, program
from tests.support import certificates

SERVER, CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"


class DemoCertificates(InteropCase):
    def verified(self, certificate: object, purpose: str) -> bool:
        done = self.run_unchecked(
            *(program("certtool", "gnutls-bin"), "--verify", f"--infile={certificate}"),
            *(f"--load-ca-certificate={certificates().authority}", f"--verify-purpose={purpose}"),
        )
        return done.returncode == 0

    @tried("each leaf is valid for its own purpose, and for no other", "certtool")
    def test_each_leaf_is_for_one_purpose(self) -> None:
        server, client = certificates().server, certificates().client
        self.assertEqual(
            [
                self.verified(credentials.certificate, purpose)
                for credentials in (server, client)
                for purpose in (SERVER, CLIENT)
            ],
            [True, False, False, True],
        )
