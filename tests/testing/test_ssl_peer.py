from __future__ import annotations

import ssl

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.testing import SSLPeer, pump, temporary_certificates


class TwoPeers(SynchronousTestCase):
    def setUp(self) -> None:
        self.server, self.client = SSLPeer.server(), SSLPeer.client()

    def assert_unexpected_end(self, error: object) -> None:
        # Newer versions of Python make it an SSLEOFError.
        self.assertIsInstance(error, ssl.SSLError)
        self.assertIn("EOF", str(error))

    def test_carry_bytes_when_the_handshake_is_complete(self) -> None:
        self.assertRaises(ssl.SSLWantReadError, self.client.write, b"too early")
        pump(self.server, self.client)
        self.assertEqual((self.server.complete, self.client.complete), (True, True))
        self.client.write(b"one", b"two")
        pump(self.server, self.client)
        self.assertEqual(self.server.received, b"onetwo")

    def test_report_a_name_that_the_certificate_is_not_for(self) -> None:
        client = SSLPeer.client("elsewhere.example")
        pump(self.server, client)
        self.assertIsInstance(client.error, ssl.SSLCertVerificationError)
        self.assertFalse(client.complete)

    def test_verify_the_client_if_a_certificate_is_required(self) -> None:
        server = SSLPeer.server(require_certificate=True)
        pump(server, self.client)
        self.assertIsNone(server.error)
        subject = server.tls.getpeercert()
        assert subject is not None
        self.assertIn("tlsdemo client", str(subject["subject"]))

    def test_end_in_order_after_close_notify(self) -> None:
        pump(self.server, self.client)
        self.client.close()
        pump(self.server, self.client)
        self.assertTrue(self.server.closed)
        self.client.disconnect()
        pump(self.server, self.client)
        self.assertEqual((self.server.connected, self.client.connected), (False, False))
        self.assertIsNone(self.server.error)

    def test_report_the_end_of_a_connection_without_close_notify(self) -> None:
        pump(self.server, self.client)
        self.client.disconnect()
        pump(self.server, self.client)
        self.assert_unexpected_end(self.server.error)
        self.assertFalse(self.server.closed)

    def test_report_it_with_any_context(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        own = temporary_certificates().server
        assert own.certificate is not None
        context.load_cert_chain(own.certificate, own.key)
        self.server = SSLPeer(context)
        self.test_report_the_end_of_a_connection_without_close_notify()

    def test_are_disconnected_only_once(self) -> None:
        pump(self.server, self.client)
        self.client.lose(ConnectionLost())
        error = self.client.error
        self.client.lose(ConnectionLost())
        self.assert_unexpected_end(error)
        self.assertIs(self.client.error, error)
