from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.lab.laboratories import made
from tests.support import now
from tlsdemo.certificates.files import Credentials, load_certificates
from tlsdemo.lab.scenarios import CertificateKind
from tlsdemo.trace.model import End


class ScenarioCertificates(SynchronousTestCase):
    def test_each_kind_is_expired_or_untrusted_as_its_name_says(self) -> None:
        authority = load_certificates(made().authority)[0]
        for end in End:
            for kind in (CertificateKind.GOOD, CertificateKind.EXPIRED, CertificateKind.UNTRUSTED):
                credentials = made().credentials(end, kind)
                self.assertEqual(credentials.authority, made().authority)
                assert credentials.certificate is not None
                certificate = load_certificates(credentials.certificate)[0]
                expired = certificate.not_valid_after_utc < now()
                self.assertEqual(expired, kind is CertificateKind.EXPIRED)
                trusted = True
                try:
                    certificate.verify_directly_issued_by(authority)
                except Exception:
                    trusted = False
                self.assertEqual(trusted, kind is not CertificateKind.UNTRUSTED, (end, kind))

    def test_an_end_without_a_certificate_still_trusts_the_authority(self) -> None:
        self.assertEqual(
            made().credentials(End.CLIENT, CertificateKind.NONE),
            Credentials(None, None, made().authority),
        )
