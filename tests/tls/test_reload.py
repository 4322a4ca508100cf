from __future__ import annotations

import gc
import weakref
from pathlib import Path

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import now
from tests.tls.memory_ends import TLS12, TLS13, End, foreign_client
from tests.tls.named_certificates import issue, names_shown
from tlsdemo.certificates.files import BadCredentials, Credentials
from tlsdemo.tls import ModeName, ServerTLS, UnusableCredentials

SECURE: list[object] = ["handshake completed", "secure", "connected"]


class ReloadTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp())
        self.home.mkdir()
        self.files = issue(self.home, "server", "localhost", "old.example")
        self.tls = ServerTLS.build(self.files)

    def replace(self) -> Credentials:
        return issue(self.home, "server", "localhost", "new.example")

    def shown(self) -> str:
        peer = foreign_client()
        End(ModeName.WRAPPED, self.tls).secured_with(peer)
        return names_shown(peer.tls.getpeercert())[1]

    def test_it_applies_to_new_connections(self) -> None:
        self.replace()
        self.assertEqual(self.shown(), "old.example")
        self.tls.reload(now())
        self.assertEqual(self.shown(), "new.example")

    def test_it_does_not_affect_an_existing_connection(self) -> None:
        peer = foreign_client()
        end = End(ModeName.STARTTLS, self.tls).secured_with(peer)
        self.replace()
        self.tls.reload(now())
        gc.collect()
        peer.write(b"still there")
        end.exchange_with(peer)
        self.assertEqual(end.application.received, [b"still there"])

    def test_it_does_not_affect_a_handshake_in_progress(self) -> None:
        more = issue(self.home, "more", "more.example")
        for version in (TLS12, TLS13):
            self.tls = ServerTLS.build(self.files, more=[more])
            peer = foreign_client(server_name="more.example", version=version)
            end = End(ModeName.PAIR, self.tls).begin()
            end.transport.deliver(peer.take())
            self.tls.reload(now())
            gc.collect()
            peer.receive(end.transport.take())
            end.exchange_with(peer)
            self.assertEqual(end.log, SECURE)

    def test_the_old_context_is_freed_with_its_last_connection(self) -> None:
        tls = ServerTLS.build(self.files, more=[issue(self.home, "more", "more.example")])
        connection = tls.serverConnectionForTLS(None)  # type: ignore[arg-type]
        old = weakref.ref(connection.get_context())
        # As the TLS layer of Twisted 26 does.
        connection.set_app_data(object())
        tls.reload(now())
        # As when the client's SNI selects another certificate.
        connection.set_context(SSL.Context(SSL.TLS_METHOD))
        gc.collect()
        self.assertIsNotNone(old())
        del connection
        gc.collect()
        self.assertIsNone(old())

    def test_certificates_for_other_names_are_loaded_too(self) -> None:
        more = issue(self.home, "more", "more.example")
        tls = ServerTLS.build(self.files, more=[more])
        issue(self.home, "more", "more.example", "also.example")
        tls.reload(now())
        peer = foreign_client(server_name="also.example")
        End(ModeName.PAIR, tls).secured_with(peer)
        assert more.key is not None
        more.key.unlink()
        problem = self.assertRaises(BadCredentials, tls.reload, now())
        self.assertIn(f"key {str(more.key)!r} cannot be read", str(problem))

    def test_bad_certificates_are_refused_with_the_reason_and_the_old_ones_are_kept(self) -> None:
        assert self.files.certificate is not None and self.files.key is not None
        self.replace()
        self.files.certificate.write_text("nonsense")
        problem = self.assertRaises(BadCredentials, self.tls.reload, now())
        self.assertIn(f"{str(self.files.certificate)!r} holds no PEM certificate", str(problem))
        self.assertEqual(self.shown(), "old.example")

    def test_the_old_certificates_are_kept_if_openssl_cannot_use_the_new_ones(self) -> None:
        self.replace()

        def cannot(_context: SSL.Context, _path: str) -> None:
            raise SSL.Error([("SSL routines", "", "ee key too small")])

        self.patch(SSL.Context, "use_certificate_chain_file", cannot)
        problem = self.assertRaises(UnusableCredentials, self.tls.reload, now())
        self.assertIn("ee key too small", str(problem))
        self.assertEqual(self.shown(), "old.example")

    def test_earlier_sessions_cannot_be_resumed(self) -> None:
        for version in (TLS12, TLS13):
            first = foreign_client(version=version)
            End(ModeName.PAIR, self.tls).secured_with(first)
            self.tls.reload(now())
            again = foreign_client(context=first.tls.context, session=first.tls.session)
            End(ModeName.PAIR, self.tls).secured_with(again)
            self.assertFalse(again.tls.session_reused)

    def test_a_context_that_was_not_built_from_files_cannot_be_reloaded(self) -> None:
        tls = ServerTLS(SSL.Context(SSL.TLS_METHOD))
        problem = self.assertRaises(UnusableCredentials, tls.reload, now())
        self.assertIn("no files to load again", str(problem))
