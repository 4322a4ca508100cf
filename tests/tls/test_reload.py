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


class Reloading(SynchronousTestCase):
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

    def test_is_for_connections_from_now_on(self) -> None:
        self.replace()
        self.assertEqual(self.shown(), "old.example")
        self.tls.reload(now())
        self.assertEqual(self.shown(), "new.example")

    def test_leaves_a_connection_as_it_is(self) -> None:
        peer = foreign_client()
        end = End(ModeName.STARTTLS, self.tls).secured_with(peer)
        self.replace()
        self.tls.reload(now())
        gc.collect()
        peer.write(b"still there")
        end.converse(peer)
        self.assertEqual(end.application.received, [b"still there"])

    def test_leaves_a_handshake_as_it_began(self) -> None:
        more = issue(self.home, "more", "more.example")
        for version in (TLS12, TLS13):
            self.tls = ServerTLS.build(self.files, more=[more])
            peer = foreign_client(server_name="more.example", version=version)
            end = End(ModeName.PAIR, self.tls).begin()
            end.transport.deliver(peer.take())
            self.tls.reload(now())
            gc.collect()
            peer.receive(end.transport.take())
            end.converse(peer)
            self.assertEqual(end.log, SECURE)

    def test_lets_go_of_the_old_context_with_its_last_connection(self) -> None:
        tls = ServerTLS.build(self.files, more=[issue(self.home, "more", "more.example")])
        connection = tls.serverConnectionForTLS(None)  # type: ignore[arg-type]
        old = weakref.ref(connection.get_context())
        tls.reload(now())
        # As when the client asks for another name.
        connection.set_context(SSL.Context(SSL.TLS_METHOD))
        gc.collect()
        self.assertIsNotNone(old())
        del connection
        gc.collect()
        self.assertIsNone(old())

    def test_reads_the_certificates_for_other_names_as_well(self) -> None:
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

    def test_keeps_the_old_ones_if_the_new_ones_are_bad_and_says_why(self) -> None:
        assert self.files.certificate is not None and self.files.key is not None
        self.replace()
        self.files.certificate.write_text("nonsense")
        problem = self.assertRaises(BadCredentials, self.tls.reload, now())
        self.assertIn(f"{str(self.files.certificate)!r} holds no PEM certificate", str(problem))
        self.assertEqual(self.shown(), "old.example")

    def test_keeps_the_old_ones_if_openssl_cannot_use_the_new_ones(self) -> None:
        self.replace()

        def cannot(_context: SSL.Context, _path: str) -> None:
            raise SSL.Error([("SSL routines", "", "ee key too small")])

        self.patch(SSL.Context, "use_certificate_chain_file", cannot)
        problem = self.assertRaises(UnusableCredentials, self.tls.reload, now())
        self.assertIn("ee key too small", str(problem))
        self.assertEqual(self.shown(), "old.example")

    def test_forgets_the_sessions_of_before(self) -> None:
        for version in (TLS12, TLS13):
            first = foreign_client(version=version)
            End(ModeName.PAIR, self.tls).secured_with(first)
            self.tls.reload(now())
            again = foreign_client(context=first.tls.context, session=first.tls.session)
            End(ModeName.PAIR, self.tls).secured_with(again)
            self.assertFalse(again.tls.session_reused)

    def test_is_not_for_a_context_that_came_from_elsewhere(self) -> None:
        tls = ServerTLS(SSL.Context(SSL.TLS_METHOD))
        problem = self.assertRaises(UnusableCredentials, tls.reload, now())
        self.assertIn("no files to load again", str(problem))
