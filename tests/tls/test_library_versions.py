from __future__ import annotations

import OpenSSL
import twisted
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import versions


class LibraryVersionTests(SynchronousTestCase):
    def test_the_versions_are_those_in_use(self) -> None:
        found = versions()
        self.assertEqual([*found], ["Python", "Twisted", "pyOpenSSL", "cryptography", "OpenSSL"])
        self.assertEqual(found["Twisted"], twisted.__version__)
        self.assertEqual(found["pyOpenSSL"], OpenSSL.__version__)
        self.assertRegex(found["OpenSSL"], r"^\d+\.\d+\.\d+")
