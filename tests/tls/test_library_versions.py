from __future__ import annotations

import OpenSSL
import twisted
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import library_versions, versions
from tlsdemo.tls.groups import CAN_SET_GROUPS


class LibraryVersionTests(SynchronousTestCase):
    def test_what_is_used_for_want_of_public_names_is_told(self) -> None:
        found = library_versions.private_names()
        self.assertEqual([*found], ["decryption", "encryption", "alert for a wrong name", "groups"])
        for name in ("decrypts_directly", "encrypts_directly", "verifies_directly"):
            self.patch(library_versions, name, not getattr(library_versions, name))
        self.patch(library_versions, "DEFAULT_GROUPS", "" if CAN_SET_GROUPS else "X25519")
        others = library_versions.private_names()
        self.assertFalse(set(found.values()) & set(others.values()))

    def test_the_versions_are_those_in_use(self) -> None:
        found = versions()
        self.assertEqual([*found], ["Python", "Twisted", "pyOpenSSL", "cryptography", "OpenSSL"])
        self.assertEqual(found["Twisted"], twisted.__version__)
        self.assertEqual(found["pyOpenSSL"], OpenSSL.__version__)
        self.assertRegex(found["OpenSSL"], r"^\d+\.\d+\.\d+")
