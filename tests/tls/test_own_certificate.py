"""What an end sends with its certificate, in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL
from OpenSSL.crypto import X509
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates, exchange
from tests.tls.bad_certificates import expired, of_an_intermediate, self_signed
from tests.tls.memory_ends import End
from tlsdemo.certificates.files import Credentials
from tlsdemo.tls import ClientAuth, ClientTLS, ModeName, ServerTLS


def subject(certificate: X509) -> bytes:
    return certificate.get_subject().der()


class Chains(SynchronousTestCase):
    def setUp(self) -> None:
        self.added: list[X509] = []
        add = SSL.Context.add_extra_chain_cert

        def noted(context: SSL.Context, certificate: Any) -> None:
            self.added.append(certificate)
            add(context, certificate)

        self.patch(SSL.Context, "add_extra_chain_cert", noted)
        self.home = Path(self.mktemp())
        self.home.mkdir()
        self.root = trustme.CA()
        self.intermediate = self.root.create_child_ca()
        self.leaf = self.intermediate.issue_cert("localhost")

    def made(self, name: str, *parts: trustme.Blob) -> Path:
        path = self.home / name
        path.write_bytes(b"".join(each.bytes() for each in parts))
        return path

    def credentials(self, *chain: trustme.Blob, trusted: list[trustme.Blob]) -> Credentials:
        return Credentials(
            self.made("leaf.pem", *chain),
            self.made("leaf.key", self.leaf.private_key_pem),
            self.made("trusted.pem", *trusted),
        )

    def sent_by(self, own: Credentials) -> list[bytes]:
        """The subjects of what a server with these credentials sends."""
        tls = ServerTLS.build(own, ClientAuth.NONE)
        trusting = Credentials(None, None, own.authority)
        client = End(ModeName.PAIR, ClientTLS.build(trusting, "localhost")).begin()
        exchange(client.transport, End(ModeName.PAIR, tls).begin().transport)
        self.assertIn("secure", client.log)
        stream: Any = client.stream
        return [subject(each) for each in stream._connection.get_peer_cert_chain()]

    def subjects(self, *certificates: trustme.Blob) -> list[bytes]:
        return [
            load_pem_x509_certificate(each.bytes()).subject.public_bytes() for each in certificates
        ]

    def test_what_is_trusted_completes_it_once_for_all_handshakes(self) -> None:
        leaf, others = (
            self.leaf.cert_chain_pems[0],
            [self.intermediate.cert_pem, self.root.cert_pem],
        )
        own = self.credentials(leaf, trusted=others)
        self.assertEqual(self.sent_by(own), self.subjects(leaf, *others))
        self.assertEqual([subject(each) for each in self.added], self.subjects(*others))

    def test_a_client_sends_it_too(self) -> None:
        ClientTLS.build(certificates().client, "localhost")
        (root,) = self.added
        self.assertEqual(root.get_subject(), root.get_issuer())

    def test_the_chain_of_the_file_is_sent_and_nothing_else(self) -> None:
        chain = self.leaf.cert_chain_pems
        own = self.credentials(*chain, trusted=[self.root.cert_pem])
        self.assertEqual(self.sent_by(own), self.subjects(*chain))

    def test_so_is_that_of_pkcs_12_which_is_completed_as_well_if_it_has_none(self) -> None:
        for chain, trusted, added in (
            (self.leaf.cert_chain_pems, [self.intermediate.cert_pem, self.root.cert_pem], 1),
            (self.leaf.cert_chain_pems[:1], [self.intermediate.cert_pem, self.root.cert_pem], 2),
        ):
            del self.added[:]
            first, *more = [load_pem_x509_certificate(each.bytes()) for each in chain]
            key: Any = load_pem_private_key(self.leaf.private_key_pem.bytes(), None)
            path = self.home / "leaf.p12"
            path.write_bytes(
                pkcs12.serialize_key_and_certificates(b"", key, first, more, NoEncryption())
            )
            own = Credentials(path, path, self.made("trusted.pem", *trusted))
            self.assertEqual(self.sent_by(own), self.subjects(*chain[:1], *trusted[:added]))
            self.assertEqual(len(self.added), added)

    def test_nothing_is_added_to_a_certificate_that_is_expired_or_whose_root_is_unknown(
        self,
    ) -> None:
        for own in (expired(), of_an_intermediate(), self_signed()):
            ServerTLS.build(own)
            self.assertEqual(self.added, [])

    def test_nor_to_one_that_only_openssl_reads(self) -> None:
        own = certificates().server
        assert own.certificate is not None
        path = self.home / "trusted.pem"
        path.write_bytes(
            own.certificate.read_bytes().replace(b" CERTIFICATE", b" TRUSTED CERTIFICATE")
        )
        ServerTLS.build(replace(own, certificate=path))
        self.assertEqual(self.added, [])

    def test_without_a_certificate_there_is_none(self) -> None:
        ClientTLS.build(replace(certificates().client, certificate=None, key=None), "localhost")
        self.assertEqual(self.added, [])
