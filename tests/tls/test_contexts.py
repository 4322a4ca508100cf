from __future__ import annotations

import os
import ssl
from typing import Any
from unittest import mock

from OpenSSL import SSL
from twisted.internet.interfaces import (
    IOpenSSLClientConnectionCreator,
    IOpenSSLServerConnectionCreator,
)
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import certificates, subject_of
from tests.tls import bad_certificates as hostile
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    End,
    ForeignPeer,
    anonymous,
    client_tls,
    foreign_client,
    foreign_server,
    server_tls,
)
from tlsdemo.certificates.files import Credentials
from tlsdemo.tls import (
    BadCredentials,
    ClientAuth,
    ClientTLS,
    ConnectionInfo,
    ModeName,
    ServerTLS,
    TLSConnection,
    UnusableCredentials,
)

SECURE: list[object] = ["handshake completed", "secure", "connected"]


def conversation(tls: ServerTLS | ClientTLS, peer: ForeignPeer) -> End:
    end = End(ModeName.PAIR, tls).begin()
    end.exchange_with(peer)
    return end


def info(tls: ServerTLS | ClientTLS, peer: ForeignPeer) -> ConnectionInfo:
    agreed = conversation(tls, peer).listener.info
    assert agreed is not None
    return agreed


def connection_of(tls: ServerTLS | ClientTLS) -> TLSConnection:
    if isinstance(tls, ServerTLS):
        return tls.serverConnectionForTLS(None)  # type: ignore[arg-type]
    return tls.clientConnectionForTLS(None)  # type: ignore[arg-type]


class ServerTLSTests(SynchronousTestCase):
    def test_it_creates_connections_for_twisted(self) -> None:
        verifyObject(IOpenSSLServerConnectionCreator, server_tls())

    def test_it_selects_the_preferred_application_protocol(self) -> None:
        tls = server_tls(alpn=("h2", "http/1.1"))
        for offered, selected in (
            (["http/1.1", "h2"], "h2"),
            (["http/1.0", "http/1.1"], "http/1.1"),
        ):
            peer = foreign_client(alpn=offered)
            self.assertEqual(info(tls, peer).alpn, selected)
            self.assertEqual(peer.tls.selected_alpn_protocol(), selected)

    def test_it_continues_without_alpn_if_there_is_no_common_protocol(self) -> None:
        for tls in (server_tls(), server_tls(alpn=("imap",))):
            for version in (TLS12, TLS13):
                peer = foreign_client(alpn=["h2", "http/1.1"], version=version)
                self.assertIsNone(info(tls, peer).alpn)
                self.assertIsNone(peer.tls.selected_alpn_protocol())

    def test_it_requires_client_certificates_as_configured(self) -> None:
        required, optional, none = ClientAuth.REQUIRED, ClientAuth.OPTIONAL, ClientAuth.NONE
        known, stranger = certificates().client, hostile.of_a_stranger()
        missing: list[object] = ["insecure: certificate missing"]
        untrusted: list[object] = ["insecure: certificate untrusted"]
        for auth, shown, log, peer in (
            (required, known, SECURE, subject_of(known)),
            (required, anonymous(), missing, None),
            (required, stranger, untrusted, None),
            (optional, known, SECURE, subject_of(known)),
            (optional, anonymous(), SECURE, None),
            (optional, stranger, untrusted, None),
            (none, known, SECURE, None),
            (none, anonymous(), SECURE, None),
        ):
            end = conversation(server_tls(client_auth=auth), foreign_client(credentials=shown))
            agreed = end.listener.info
            self.assertEqual((end.log, agreed and agreed.peer), (log, peer))

    def test_it_sends_the_name_of_the_trusted_authority(self) -> None:
        for auth, names in ((ClientAuth.REQUIRED, ["tlsdemo"]), (ClientAuth.NONE, [])):
            authorities = connection_of(server_tls(client_auth=auth)).get_client_ca_list()
            self.assertEqual([authority.O for authority in authorities], names)

    def test_without_an_authority_it_trusts_those_of_the_system(self) -> None:
        ours = certificates().server
        tls = ServerTLS.build(Credentials(ours.certificate, ours.key, None))
        end = conversation(tls, foreign_client())
        self.assertEqual(end.log, ["insecure: certificate untrusted"])

    def test_it_uses_one_context_for_many_connections(self) -> None:
        tls = server_tls()
        ends = [conversation(tls, foreign_client()) for _ in range(3)]
        self.assertEqual([end.log for end in ends], [SECURE] * 3)
        self.assertEqual(len({id(connection_of(tls).get_context()) for _ in range(3)}), 1)

    def test_it_knows_the_peer_of_a_resumed_session(self) -> None:
        tls = server_tls()
        first = foreign_client()
        conversation(tls, first)
        again = foreign_client(context=first.tls.context, session=first.tls.session)
        self.assertEqual(info(tls, again).peer, subject_of(certificates().client))
        self.assertTrue(again.tls.session_reused)


class ClientTLSTests(SynchronousTestCase):
    def test_it_creates_connections_for_twisted(self) -> None:
        verifyObject(IOpenSSLClientConnectionCreator, client_tls())

    def test_it_offers_application_protocols(self) -> None:
        self.assertEqual(info(client_tls(alpn=("a", "b")), foreign_server(alpn="b")).alpn, "b")
        self.assertIsNone(info(client_tls(), foreign_server(alpn="b")).alpn)

    def test_it_sends_a_name_but_not_an_address_as_sni(self) -> None:
        for name, sni in (
            ("localhost", b"localhost"),
            ("LocalHost", b"localhost"),
            ("localhost.", b"localhost"),
            ("localhost\u3002", b"localhost"),
            ("stra\u00dfe.example\uff0e", b"xn--strae-oqa.example"),
            ("stra\u00dfe.example", b"xn--strae-oqa.example"),
            ("127.0.0.1", None),
            ("::1", None),
        ):
            connection = connection_of(client_tls(name))
            connection.set_connect_state()
            self.assertRaises(SSL.WantReadError, connection.do_handshake)
            hello = connection.bio_read(1 << 15)
            seen: list[bytes | None] = []
            server = SSL.Context(SSL.TLS_METHOD)
            server.set_tlsext_servername_callback(lambda one: seen.append(one.get_servername()))  # noqa: B023
            peer = SSL.Connection(server, None)
            peer.set_accept_state()
            peer.bio_write(hello)
            self.assertRaises(SSL.Error, peer.do_handshake)
            self.assertEqual(seen, [sni])

    def test_it_verifies_addresses_as_well_as_names(self) -> None:
        for name in ("localhost", "LOCALHOST", "localhost.", "localhost\uff61", "127.0.0.1", "::1"):
            self.assertEqual(conversation(client_tls(name), foreign_server()).log, SECURE)
        for name in ("localhost.example", "127.0.0.2", "::2"):
            log = conversation(client_tls(name), foreign_server()).log
            self.assertEqual(log, ["insecure: wrong name"])

    def test_every_other_certificate_is_verified_again(self) -> None:
        tls = ClientTLS.build(certificates().client, "localhost")
        for credentials, log in (
            (hostile.other_name(), ["insecure: wrong name"]),
            (certificates().server, SECURE),
            (certificates().server, SECURE),
            (hostile.other_name(), ["insecure: wrong name"]),
            (hostile.other_name(), ["insecure: wrong name"]),
        ):
            peer = foreign_server(credentials=credentials)
            self.assertEqual(conversation(tls, peer).log, log)

    def test_it_refuses_an_invalid_name(self) -> None:
        for name in (
            "",
            "two words",
            "*.example.org",
            "a..b",
            "a..",
            ".",
            "\u3002",
            "127.0.0.1.",
            "x" * 64,
            "[::1]",
            "10",
        ):
            self.assertRaises(ValueError, client_tls, name)

    def test_it_verifies_the_name_with_any_other_context_too(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        context.load_verify_locations(str(certificates().authority))
        context.set_verify(SSL.VERIFY_PEER)
        for version in (TLS12, TLS13):
            for name, log in (
                ("localhost", SECURE),
                ("example.org", ["handshake completed", "insecure: wrong name"]),
            ):
                peer = foreign_server(version=version, verify=ssl.CERT_NONE)
                self.assertEqual(conversation(ClientTLS(context, name), peer).log, log)

    def test_without_an_authority_it_trusts_those_of_the_system(self) -> None:
        for bundle, log in (
            (hostile.of_an_intermediate().authority, ["insecure: certificate untrusted"]),
            (certificates().authority, SECURE),
        ):
            with mock.patch.dict(os.environ, {"SSL_CERT_FILE": str(bundle)}):
                tls = ClientTLS.build(Credentials(None, None, None), "localhost")
            peer = foreign_server(verify=ssl.CERT_NONE)
            self.assertEqual(conversation(tls, peer).log, log)


class ContextTests(SynchronousTestCase):
    def test_renegotiation_is_refused_and_the_connection_continues(self) -> None:
        for tls, credentials in (
            (server_tls(), certificates().client),
            (client_tls(), certificates().server),
        ):
            ours, theirs = connection_of(tls), permissive_connection(credentials)
            (ours.set_accept_state, ours.set_connect_state)[tls.is_client]()
            (theirs.set_connect_state, theirs.set_accept_state)[tls.is_client]()
            shake_hands(ours, theirs)
            self.assertEqual(ours.get_protocol_version_name(), "TLSv1.2")
            finished = ours.get_finished()
            self.assertTrue(theirs.renegotiate())
            shake_hands(ours, theirs)
            self.assertEqual(ours.get_finished(), finished)
            self.assertEqual(ours.total_renegotiations(), 0)
            self.assertRaises(SSL.Error, ours.renegotiate)

    def test_idle_connections_keep_no_buffers(self) -> None:
        modes: list[int] = []
        self.patch(SSL.Context, "set_mode", lambda _context, mode: modes.append(mode))
        ServerTLS.build(certificates().server)
        ClientTLS.build(certificates().client, "localhost")
        self.assertEqual(modes.count(SSL.MODE_RELEASE_BUFFERS), 2)

    def test_only_aead_ciphers_with_forward_secrecy_are_offered(self) -> None:
        for tls in (server_tls(), client_tls()):
            for cipher in connection_of(tls).get_cipher_list():
                self.assertRegex(cipher, "^(TLS_|ECDHE-).*(GCM|CHACHA20)")

    def test_unusable_files_are_named_with_the_reason(self) -> None:
        demo = certificates()
        mixed = Credentials(demo.server.certificate, demo.client.key, demo.authority)
        for build in (ServerTLS.build, lambda each: ClientTLS.build(each, "localhost")):
            error = self.assertRaises(UnusableCredentials, build, mixed)
            self.assertIn(str(demo.client.key), str(error))
            self.assertIn("key values mismatch", str(error))

    def test_an_end_that_would_present_no_certificate_by_mistake_is_refused(self) -> None:
        ours = certificates().server
        for files, words in (
            (Credentials(), "a server needs a certificate and its key"),
            (Credentials(ours.certificate), "needs its key as well"),
        ):
            error = self.assertRaises(BadCredentials, ServerTLS.build, files)
            self.assertIn(words, str(error))
        key_alone = Credentials(key=ours.key)
        error = self.assertRaises(BadCredentials, ClientTLS.build, key_alone, "localhost")
        self.assertIn("needs its certificate as well", str(error))

    def test_application_protocols_are_a_list(self) -> None:
        files: Any = certificates().server
        for build in (
            lambda alpn: ServerTLS.build(files, alpn=alpn),
            lambda alpn: ClientTLS.build(files, "localhost", alpn),
        ):
            error = self.assertRaises(TypeError, build, "h2")
            self.assertEqual(str(error), "alpn is 'h2'; give a list of names: ['h2']")

    def test_client_authentication_can_be_named(self) -> None:
        files = certificates().server
        end = conversation(ServerTLS.build(files, "none"), foreign_client(credentials=anonymous()))
        self.assertEqual(end.log, SECURE)
        self.assertRaises(ValueError, ServerTLS.build, files, "some")

    def test_what_is_no_name_of_a_server_is_quoted(self) -> None:
        for name in ("", "localhost:25", "example.org.."):
            error = self.assertRaises(ValueError, ClientTLS.build, Credentials(), name)
            self.assertEqual(
                str(error), f"server_name is {name!r}, neither a DNS name nor an IP address"
            )


def permissive_connection(credentials: Credentials) -> SSL.Connection:
    """One that would renegotiate."""
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate_chain_file(str(credentials.certificate))
    context.use_privatekey_file(str(credentials.key))
    return SSL.Connection(context, None)


def shake_hands(*ends: SSL.Connection) -> None:
    """Carry bytes between two connections until neither has any for the other."""
    moving = True
    while moving:
        moving = False
        for one, other in (ends, ends[::-1]):
            try:
                one.do_handshake()
                one.recv(1)
            except SSL.Error:
                pass
            try:
                other.bio_write(one.bio_read(1 << 15))
                moving = True
            except SSL.Error:
                pass
