from __future__ import annotations

import ssl
from pathlib import Path

import trustme
from cryptography import x509
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tests.tls.memory_ends import TLS12, TLS13, End, anonymous, foreign_client, foreign_context
from tests.tls.named_certificates import issue, names_shown
from tlsdemo.certificates.files import Credentials
from tlsdemo.tls import ClientAuth, ModeName, ServerTLS
from tlsdemo.tls.server_names import matches, names_of


class NameTests(SynchronousTestCase):
    def certificate(self, *names: str, common_name: str | None = None) -> x509.Certificate:
        leaf = trustme.CA().issue_cert(*names, common_name=common_name)
        return x509.load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())

    def test_names_are_dns_names_in_lower_case(self) -> None:
        names = ("One.example", "*.Two.example", "127.0.0.1", "someone@example.org")
        self.assertEqual(names_of(self.certificate(*names)), ("one.example", "*.two.example"))

    def test_a_common_name_is_ignored(self) -> None:
        authority = x509.load_pem_x509_certificate(trustme.CA().cert_pem.bytes())
        self.assertEqual(names_of(authority), ())
        self.assertEqual(names_of(self.certificate("::1", common_name="one.example")), ())

    def test_names_match_requested_names(self) -> None:
        names = ("one.example", "*.two.example")
        for requested, expected in {
            "one.example": True,
            "ONE.Example": True,
            "www.one.example": False,
            "a.two.example": True,
            "A.TWO.EXAMPLE": True,
            "two.example": False,
            ".two.example": False,
            "a.b.two.example": False,
            "*.two.example": True,
            "example": False,
            "": False,
            ".": False,
        }.items():
            self.assertEqual(matches(names, requested), expected, requested)

    def test_a_dot_at_the_end_is_ignored(self) -> None:
        self.assertTrue(matches(("example.org",), "example.org."))
        self.assertTrue(matches(("*.example.org",), "a.example.org."))
        self.assertFalse(matches(("example.org",), "example.org.."))

    def test_a_wildcard_for_everything_matches_nothing(self) -> None:
        self.assertFalse(matches(("*.", "*"), "com"))
        self.assertFalse(matches(("*.", "*"), "com."))


class ServerNameTests(SynchronousTestCase):
    def setUp(self) -> None:
        home = Path(self.mktemp())
        home.mkdir()
        nameless = Credentials(None, None, certificates().authority)
        self.tls = ServerTLS.build(
            certificates().server,
            alpn=("h2",),
            more=(
                nameless,
                issue(home, "one", "one.example"),
                issue(home, "two", "*.two.example", "one.example"),
            ),
        )

    def end(self) -> End:
        return End(ModeName.PAIR, self.tls).begin()

    def shown(self, name: str, version: ssl.TLSVersion) -> list[str]:
        context = foreign_context(ssl.PROTOCOL_TLS_CLIENT, None, version)
        context.check_hostname = False
        peer = foreign_client(server_name=name, context=context, alpn=["h2"])
        end = self.end()
        end.exchange_with(peer)
        agreed = end.listener.info
        assert agreed is not None
        self.assertEqual((agreed.sni, agreed.alpn), (name or None, "h2"))
        self.assertIn("CN=tlsdemo client", agreed.peer or "")
        return names_shown(peer.tls.getpeercert())

    def test_the_first_matching_certificate_is_sent_or_else_the_first(self) -> None:
        for version in (TLS12, TLS13):
            for name, names in (
                ("localhost", ["localhost"]),
                ("one.example", ["one.example"]),
                ("One.Example", ["one.example"]),
                ("a.two.example", ["*.two.example", "one.example"]),
                ("two.example", ["localhost"]),
                ("unknown.example", ["localhost"]),
            ):
                self.assertEqual(self.shown(name, version), names, name)

    def test_the_first_certificate_is_sent_to_a_client_without_sni(self) -> None:
        context = foreign_context(ssl.PROTOCOL_TLS_CLIENT, None, TLS13)
        context.check_hostname = False
        peer = foreign_client(server_name=None, context=context)  # type: ignore[arg-type]
        end = self.end()
        end.exchange_with(peer)
        self.assertEqual(names_shown(peer.tls.getpeercert()), ["localhost"])

    def test_a_client_certificate_is_required_for_every_name(self) -> None:
        for version in (TLS12, TLS13):
            for name in ("localhost", "one.example", "a.two.example"):
                peer = foreign_client(credentials=anonymous(), server_name=name, version=version)
                end = self.end()
                end.exchange_with(peer)
                self.assertEqual(end.log, ["insecure: certificate missing"], name)

    def test_the_policy_applies_to_every_name(self) -> None:
        for name in ("localhost", "one.example"):
            peer = foreign_client(server_name=name, version=ssl.TLSVersion.TLSv1_1)
            self.end().exchange_with(peer)
            self.assertFalse(peer.complete)

    def test_a_session_is_resumed_for_its_own_name(self) -> None:
        for version in (TLS12, TLS13):
            first = foreign_client(server_name="one.example", version=version)
            self.end().exchange_with(first)
            again = foreign_client(
                server_name="one.example", context=first.tls.context, session=first.tls.session
            )
            self.end().exchange_with(again)
            self.assertTrue(again.tls.session_reused)

    def test_no_session_is_resumed_if_names_trust_different_authorities(self) -> None:
        # The first context decrypts every ticket, and the certificate in it is not verified again.
        home = Path(self.mktemp())
        home.mkdir()
        stranger = home / "stranger.pem"
        stranger.write_bytes(trustme.CA().cert_pem.bytes())
        one, two = issue(home, "one", "one.example"), issue(home, "two", "two.example")
        strict = Credentials(two.certificate, two.key, stranger)
        for version in (TLS12, TLS13):
            for identity, more in ((one, strict), (strict, one)):
                tls = ServerTLS.build(identity, more=[more])
                first = foreign_client(server_name="one.example", version=version)
                End(ModeName.PAIR, tls).secured_with(first)
                for session in (None, first.tls.session):
                    again = foreign_client(
                        server_name="two.example", context=first.tls.context, session=session
                    )
                    end = End(ModeName.PAIR, tls).begin()
                    end.exchange_with(again)
                    self.assertEqual(end.log, ["insecure: certificate untrusted"])

    def test_sessions_are_resumed_if_no_client_certificate_is_requested(self) -> None:
        home = Path(self.mktemp())
        home.mkdir()
        one, two = issue(home, "one", "one.example"), issue(home, "two", "two.example")
        trusting_all = Credentials(two.certificate, two.key, None)
        for auth in (ClientAuth.NONE, "none"):
            tls = ServerTLS.build(one, auth, more=[trusting_all])
            first = foreign_client(server_name="one.example")
            End(ModeName.PAIR, tls).secured_with(first)
            again = foreign_client(
                server_name="one.example", context=first.tls.context, session=first.tls.session
            )
            End(ModeName.PAIR, tls).secured_with(again)
            self.assertTrue(again.tls.session_reused)
