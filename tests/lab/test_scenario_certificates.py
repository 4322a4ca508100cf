from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.laboratories import made
from tests.support import now
from tlsdemo.certificates.files import Credentials, load_certificates
from tlsdemo.lab.scenarios import Shown
from tlsdemo.trace.model import End


class Certificates(SynchronousTestCase):
    def test_of_each_kind_are_what_they_are_called(self) -> None:
        authority = load_certificates(made().authority)[0]
        for end in End:
            for shown in (Shown.GOOD, Shown.EXPIRED, Shown.UNTRUSTED):
                credentials = made().credentials(end, shown)
                self.assertEqual(credentials.authority, made().authority)
                assert credentials.certificate is not None
                certificate = load_certificates(credentials.certificate)[0]
                expired = certificate.not_valid_after_utc < now()
                self.assertEqual(expired, shown is Shown.EXPIRED)
                trusted = True
                try:
                    certificate.verify_directly_issued_by(authority)
                except Exception:
                    trusted = False
                self.assertEqual(trusted, shown is not Shown.UNTRUSTED, (end, shown))

    def test_can_be_missing(self) -> None:
        self.assertEqual(
            made().credentials(End.CLIENT, Shown.NONE), Credentials(None, None, made().authority)
        )
