"""What certificates are verified for is tested in test_error_reasons; these are the two ways."""

from __future__ import annotations

import ssl
from typing import Any
from unittest import mock

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates, subject_of
from tests.tls import bad_certificates
from tests.tls.memory_ends import End, foreign_client, foreign_server
from tlsdemo.certificates.files import Credentials
from tlsdemo.tls import ClientTLS, ModeName, ServerTLS, verification


class VerificationTests(SynchronousTestCase):
    def rejected(self, credentials: Credentials) -> tuple[list[str], str]:
        peer = foreign_server(credentials=credentials, verify=ssl.CERT_NONE)
        own = Credentials(None, None, certificates().authority)
        end = End(ModeName.PAIR, ClientTLS.build(own, "localhost")).begin()
        end.exchange_with(peer)
        return [str(each) for each in end.log], str(peer.error)

    def without_private_names(self) -> None:
        with mock.patch.object(SSL, "_lib", object()):
            self.patch(verification, "_callbacks", verification._make_callbacks())

    def test_a_wrong_name_has_the_alert_that_says_so(self) -> None:
        log, error = self.rejected(bad_certificates.other_name())
        self.assertEqual(log, ["insecure: wrong name"])
        self.assertIn("alert bad certificate", error)

    def test_pyopenssl_calls_back_if_its_private_names_have_changed(self) -> None:
        self.without_private_names()
        for credentials, log, alert in (
            (bad_certificates.other_name(), ["insecure: wrong name"], "alert internal error"),
            (bad_certificates.expired(), ["insecure: certificate expired"], "certificate expired"),
            (certificates().server, ["handshake completed", "secure", "connected"], "None"),
        ):
            found, error = self.rejected(credentials)
            self.assertEqual(found, log)
            self.assertIn(alert, error)

    def test_an_observer_learns_which_certificate_a_server_has_verified(self) -> None:
        for patch in (lambda: None, self.without_private_names):
            patch()
            observer: Any = mock.Mock(detailed=True)
            tls = ServerTLS.build(certificates().server)
            End(ModeName.PAIR, tls, observer=observer).begin().exchange_with(foreign_client())
            subject = subject_of(certificates().client)
            observer.detail.assert_any_call("certificate verified", subject=subject)

    def test_it_depends_on_no_context(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        verification.set_verification(context, SSL.VERIFY_PEER, names=True)
        self.assertEqual(context.get_verify_mode(), SSL.VERIFY_PEER)
