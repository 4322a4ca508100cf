from __future__ import annotations

import copy
import gc
import pickle
import ssl
from hashlib import sha256
from unittest import mock
from weakref import ref

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates, exchange, subject_of
from tests.tls import bad_certificates
from tests.tls.memory_ends import (
    TLS12,
    End,
    PairEnd,
    client_tls,
    foreign_client,
    foreign_server,
    server_tls,
)
from tlsdemo.tls import ClientAuth, ConnectionInfo, ModeName, ServerTLS, connection_info
from tlsdemo.tls.contexts import ClientTLS

X25519 = "x25519" if hasattr(SSL.Connection, "get_group_name") else None
"""The group with the standard library's OpenSSL, if pyOpenSSL can tell."""


class ConnectionInfoTests(SynchronousTestCase):
    def agreed(self, tls: ServerTLS | ClientTLS, **peer: object) -> ConnectionInfo:
        make = foreign_server if isinstance(tls, ClientTLS) else foreign_client
        end = End(ModeName.PAIR, tls).secured_with(make(**peer))  # type: ignore[arg-type]
        assert end.listener.info is not None
        return end.listener.info

    def test_a_server_has_all_negotiated_parameters(self) -> None:
        self.assertEqual(
            self.agreed(server_tls(alpn=("h2",)), alpn=["h2"]),
            ConnectionInfo(
                version="TLSv1.3",
                cipher="TLS_AES_256_GCM_SHA384",
                alpn="h2",
                sni="localhost",
                peer=subject_of(certificates().client),
                group=X25519,
            ),
        )

    def test_a_client_has_all_negotiated_parameters(self) -> None:
        self.assertEqual(
            self.agreed(
                client_tls("127.0.0.1"), version=TLS12, ciphers="ECDHE-ECDSA-AES128-GCM-SHA256"
            ),
            ConnectionInfo(
                version="TLSv1.2",
                cipher="ECDHE-ECDSA-AES128-GCM-SHA256",
                alpn=None,
                sni=None,
                peer=subject_of(certificates().server),
                group=X25519,
            ),
        )

    def test_it_can_be_copied_and_pickled_before_the_certificate_has_been_parsed(self) -> None:
        subject = subject_of(certificates().client)
        for duplicate in (copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))):
            info = self.agreed(server_tls())
            again = duplicate(info)
            self.assertEqual(again.peer, subject)
            self.assertEqual(again, info)

    def test_peer_is_none_without_a_certificate(self) -> None:
        self.assertIsNone(self.agreed(server_tls(client_auth=ClientAuth.NONE)).peer)

    def test_the_certificate_is_parsed_once_and_only_when_peer_is_read(self) -> None:
        agreed = self.agreed(server_tls())
        with mock.patch.object(connection_info, "subject_of", return_value="CN=x") as read:
            self.assertEqual(agreed.version, "TLSv1.3")
            read.assert_not_called()
            for _ in range(2):
                self.assertEqual(agreed.peer, "CN=x")
            read.assert_called_once()

    def test_a_subject_that_cannot_be_read_is_named_by_its_certificates_fingerprint(self) -> None:
        credentials = bad_certificates.unreadable_subject()
        assert credentials.certificate is not None
        certificate = ssl.PEM_cert_to_DER_cert(credentials.certificate.read_text())
        for observer in (None, mock.Mock(detailed=True)):
            end = End(ModeName.PAIR, server_tls(), observer=observer)
            end.begin().exchange_with(foreign_client(credentials=credentials))
            assert end.listener.info is not None, end.log
            self.assertIn(sha256(certificate).hexdigest(), end.listener.info.peer or "")
            self.assertIn("peer=unreadable subject of the certificate", str(end.listener.info))

    def test_the_connection_is_asked_once_and_only_for_what_is_read(self) -> None:
        asked: list[SSL.Connection] = []

        def get_cipher_name(connection: SSL.Connection) -> str | None:
            asked.append(connection)
            return original(connection)

        original = SSL.Connection.get_cipher_name
        with mock.patch.object(SSL.Connection, "get_cipher_name", get_cipher_name):
            agreed = self.agreed(server_tls())
            self.assertFalse(agreed.upgraded)
            self.assertEqual(asked, [])
            self.assertEqual((agreed.version, agreed.alpn), ("TLSv1.3", None))
            self.assertEqual(asked, [])
            for _ in range(2):
                self.assertEqual(agreed.cipher, "TLS_AES_256_GCM_SHA384")
            self.assertEqual(len(asked), 1)

    def test_one_that_is_kept_outlives_its_connection_and_does_not_keep_it(self) -> None:
        for mode in (ModeName.PAIR, ModeName.STARTTLS, ModeName.WRAPPED):
            end = End(mode, server_tls()).secured_with(foreign_client())
            kept = end.listener.info
            assert kept is not None
            connection = ref(end.stream._connection)  # type: ignore[attr-defined]
            end.transport.lose(ConnectionDone())
            del end
            gc.collect()
            self.assertIsNone(connection())
            self.assertEqual(kept.version, "TLSv1.3")
            self.assertEqual(kept.peer, subject_of(certificates().client))

    def test_other_attributes_do_not_exist(self) -> None:
        for other in ("port", "_port"):
            agreed = self.agreed(server_tls())
            self.assertRaises(AttributeError, getattr, agreed, other)
            self.assertEqual(agreed.version, "TLSv1.3")
            self.assertRaises(AttributeError, getattr, agreed, other)

    def test_names_that_are_not_ascii_are_escaped(self) -> None:
        infos: list[ConnectionInfo] = []
        server = PairEnd(server_tls(alpn=("\u00e4",)), on_secure=infos.append).begin()
        client = PairEnd(client_tls(alpn=("\u00e4",))).begin()
        exchange(server.transport, client.transport)
        self.assertEqual([agreed.alpn for agreed in infos], [r"\xc3\xa4"])

    def test_the_text_is_one_line_without_missing_values(self) -> None:
        self.assertEqual(
            str(ConnectionInfo("TLSv1.3", "AES", "h2", "localhost", "CN=client", group="x25519")),
            "TLSv1.3 AES group=x25519 alpn=h2 sni=localhost peer=CN=client",
        )
        self.assertEqual(str(ConnectionInfo("TLSv1.3", "AES", None, None, None)), "TLSv1.3 AES")
