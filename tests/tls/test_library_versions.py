from __future__ import annotations

import OpenSSL
import twisted
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import library_versions, versions
from tlsdemo.tls.policy import DEFAULT_GROUPS


class LibraryVersionTests(SynchronousTestCase):
    def test_what_is_used_for_want_of_public_names_is_told(self) -> None:
        found = library_versions.private_names()
        self.assertEqual([*found], ["decryption", "alert for a wrong name", "groups"])
        for name in ("decrypts_directly", "verifies_directly", "DEFAULT_GROUPS"):
            self.patch(library_versions, name, False)
        others = library_versions.private_names()
        used = {"SSL_read", "bad_certificate", *filter(None, [DEFAULT_GROUPS])}
        self.assertTrue(used <= set(found.values()))
        self.assertFalse(used & set(others.values()))

    def test_the_versions_are_those_in_use(self) -> None:
        found = versions()
        self.assertEqual([*found], ["Python", "Twisted", "pyOpenSSL", "cryptography", "OpenSSL"])
        self.assertEqual(found["Twisted"], twisted.__version__)
        self.assertEqual(found["pyOpenSSL"], OpenSSL.__version__)
        self.assertRegex(found["OpenSSL"], r"^\d+\.\d+\.\d+")
