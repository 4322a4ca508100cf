"""Keys and certificates in PKCS#12, and what is said of other kinds of files."""

from __future__ import annotations

import ssl
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs7,
    pkcs12,
)
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import End, foreign_client
from tlsdemo.certificates.certificate_file import load_certificates
from tlsdemo.certificates.files import BadCredentials, Credentials
from tlsdemo.certificates.identity import is_pkcs12, load_identity
from tlsdemo.tls import ClientAuth, ModeName, ServerTLS

NOW = datetime.now(timezone.utc)
CA = trustme.CA()
INTERMEDIATE = CA.create_child_ca()
LEAF = INTERMEDIATE.issue_cert("localhost")
KEY_PEM = LEAF.private_key_pem.bytes()
KEY = load_pem_private_key(LEAF.private_key_pem.bytes(), None)
CHAIN = [x509.load_pem_x509_certificate(each.bytes()) for each in LEAF.cert_chain_pems]


def private_bytes(encoding: Encoding, encryption: KeySerializationEncryption) -> bytes:
    return KEY.private_bytes(encoding, PrivateFormat.PKCS8, encryption)


class IdentityCase(SynchronousTestCase):
    def file(self, content: bytes) -> Path:
        path = Path(self.mktemp())
        path.write_bytes(content)
        return path

    def bundle(self, passphrase: bytes | None = None, key: bool = True, leaf: bool = True) -> Path:
        encryption: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            encryption = BestAvailableEncryption(passphrase)
        return self.file(
            pkcs12.serialize_key_and_certificates(
                b"a name",
                KEY if key else None,  # type: ignore[arg-type]
                CHAIN[0] if leaf else None,
                CHAIN[1:],
                encryption,
            )
        )

    def error(self, path: Path, key: Path | None = None, passphrase: bytes | None = None) -> str:
        problem = self.assertRaises(BadCredentials, load_identity, path, key or path, passphrase)
        text = str(problem)
        self.assertNotIn("\n", text)
        return text


class PKCS12Tests(IdentityCase):
    def test_one_file_is_the_chain_and_the_key(self) -> None:
        for passphrase in (None, b"secret"):
            path = self.bundle(passphrase)
            self.assertTrue(is_pkcs12(path))
            identity = load_identity(path, path, passphrase)
            self.assertEqual(identity.chain, CHAIN)
            self.assertEqual(identity.key.public_key(), KEY.public_key())
            self.assertFalse(identity.plain)
            Credentials(path, path, None, passphrase).check(NOW)

    def test_a_server_presents_its_chain(self) -> None:
        authority = self.file(CA.cert_pem.bytes())
        for passphrase in (None, b"secret"):
            path = self.bundle(passphrase)
            tls = ServerTLS.build(Credentials(path, path, None, passphrase), ClientAuth.NONE)
            client = foreign_client(context=ssl.create_default_context(cafile=authority))
            End(ModeName.PAIR, tls).secured_with(client)

    def test_so_is_one_that_openssl_makes(self) -> None:
        pem = self.file(LEAF.private_key_and_cert_chain_pem.bytes())
        path = Path(self.mktemp())
        subprocess.run(
            ["openssl", "pkcs12", "-export", "-in", pem, "-out", path, "-passout", "pass:secret"],
            check=True,
        )
        self.assertEqual(load_identity(path, path, b"secret").chain, CHAIN)

    def test_the_passphrase_is_needed_and_must_be_right(self) -> None:
        path = self.bundle(b"secret")
        self.assertIn("give its passphrase with --passphrase-file", self.error(path))
        self.assertIn(
            "cannot be decrypted with that passphrase", self.error(path, passphrase=b"wrong")
        )

    def test_the_key_and_its_certificate_must_be_in_it(self) -> None:
        self.assertIn("holds no private key", self.error(self.bundle(key=False)))
        self.assertIn("holds no certificate", self.error(self.bundle(leaf=False)))

    def test_another_key_beside_it_is_an_error(self) -> None:
        path = self.bundle()
        for same in (KEY_PEM, path.read_bytes()):
            self.assertEqual(load_identity(path, self.file(same), None).chain, CHAIN)
        other = self.file(CA.issue_cert("localhost").private_key_pem.bytes())
        self.assertIn(f"key {str(other)!r} is not the key in certificate", self.error(path, other))
        encrypted = self.file(private_bytes(Encoding.PEM, BestAvailableEncryption(b"other")))
        self.assertIn("--passphrase-file", self.error(path, encrypted))

    def test_other_files_are_not_it(self) -> None:
        for content in (
            # Version 1 and serial number 3 look like the beginning of PKCS#12.
            b"\x30\x82\x01\x21\x30\x81\xcc\x02\x01\x03\x30\x0d" + bytes(300),
            b"",
            LEAF.private_key_pem.bytes(),
            CHAIN[0].public_bytes(Encoding.DER),
            KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        ):
            self.assertFalse(is_pkcs12(self.file(content)))
        self.assertFalse(is_pkcs12(Path("missing")))


class AdviceTests(IdentityCase):
    """What is said of a file that is not what it should be."""

    def openssl(self, *arguments: str, data: bytes) -> bytes:
        done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True)
        return done.stdout

    def test_a_certificate_in_another_format_can_be_converted_as_advised(self) -> None:
        pem = CHAIN[0].public_bytes(Encoding.PEM)
        trusted = self.openssl("x509", "-trustout", data=pem)
        several = trusted + self.openssl(
            "x509", "-trustout", data=CHAIN[1].public_bytes(Encoding.PEM)
        )
        signed = pkcs7.serialize_certificates(CHAIN, Encoding.PEM)
        for content, kind, held in (
            (trusted, "a certificate in OpenSSL's own format", CHAIN[:1]),
            (several, "a certificate in OpenSSL's own format", CHAIN),
            (CHAIN[0].public_bytes(Encoding.DER), "a certificate in DER", CHAIN[:1]),
            (signed, "PKCS#7", CHAIN),
            (pkcs7.serialize_certificates(CHAIN, Encoding.DER), "PKCS#7 in DER", CHAIN),
        ):
            path = self.file(content)
            error = self.error(path)
            self.assertIn(f", but {kind}; convert it with: openssl ", error)
            command = error.partition("convert it with: ")[2].replace("FILE", str(path))
            subprocess.run(command, shell=True, check=True, capture_output=True)
            self.assertCountEqual(load_certificates(Path(f"{path}.pem")), held)

    def test_a_key_in_another_format_can_be_converted_as_advised(self) -> None:
        certificate = self.file(LEAF.cert_chain_pems[0].bytes())
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            path = self.file(KEY.private_bytes(Encoding.DER, form, NoEncryption()))
            error = self.error(certificate, path)
            self.assertIn(", but a private key in DER; convert it with: openssl ", error)
            command = error.partition("convert it with: ")[2].replace("FILE", str(path)).split()
            subprocess.run(command, check=True, capture_output=True)
            load_identity(certificate, Path(f"{path}.pem"), None)

    def test_so_can_one_that_is_encrypted_which_it_stays(self) -> None:
        certificate = self.file(LEAF.cert_chain_pems[0].bytes())
        path = self.file(private_bytes(Encoding.DER, BestAvailableEncryption(b"secret")))
        for passphrase in (None, b"secret"):
            error = self.error(certificate, path, passphrase)
            self.assertIn(", but an encrypted private key in DER; convert it with: ", error)
        command = error.partition("convert it with: ")[2].replace("FILE", str(path)).split()
        given = ("-passin", "pass:secret", "-passout", "pass:secret")
        subprocess.run([*command, *given], check=True, capture_output=True)
        converted = Path(f"{path}.pem")
        self.assertIn("is encrypted", self.error(certificate, converted))
        self.assertFalse(load_identity(certificate, converted, b"secret").plain)

    def test_a_file_without_use_is_named(self) -> None:
        builder = x509.CertificateSigningRequestBuilder().subject_name(CHAIN[0].subject)
        request = builder.sign(KEY, SHA256())  # type: ignore[arg-type]
        public = KEY.public_key()
        certificate = self.file(CHAIN[0].public_bytes(Encoding.PEM))
        for encoding in (Encoding.PEM, Encoding.DER):
            for content, kind in (
                (request.public_bytes(encoding), "a request for a certificate"),
                (public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo), "a public key"),
            ):
                path = self.file(content)
                for error in (self.error(path), self.error(certificate, path)):
                    self.assertIn(f", but {kind}", error)
                    self.assertNotIn("convert", error)

    def test_the_option_for_a_file_is_named(self) -> None:
        pem = self.file(CHAIN[0].public_bytes(Encoding.PEM))
        for encoding in (Encoding.PEM, Encoding.DER):
            certificate = self.file(CHAIN[0].public_bytes(encoding))
            key = self.file(private_bytes(encoding, NoEncryption()))
            self.assertIn("; give it as --cert", self.error(pem, certificate))
            self.assertIn("; give it as --key", self.error(key))
            error = self.error(key, certificate)
            self.assertIn("hold a private key", error)
            self.assertTrue(error.endswith("; exchange --cert and --key"), error)
        self.assertIn(
            ", but PKCS#12; give it as --cert, without --key", self.error(pem, self.bundle())
        )

    def test_a_private_key_is_no_authority(self) -> None:
        key = self.file(KEY_PEM)
        problem = self.assertRaises(BadCredentials, load_certificates, key, "authority")
        self.assertTrue(str(problem).endswith(", but a private key"), problem)

    def test_files_of_other_programs_are_named(self) -> None:
        for content, kind in (
            (b"\xfe\xed\xfe\xed" + bytes(20), "a Java key store; convert it with: keytool"),
            (b"-----BEGIN CERTIFICATE REQUEST-----\n", "a request for a certificate"),
            (b"-----BEGIN OPENSSH PRIVATE KEY-----\n", "a key in OpenSSH's own format"),
            (b"anything\n", "nor anything else that could be converted to a certificate"),
            (b"", "it is empty"),
        ):
            self.assertIn(kind, self.error(self.file(content)))

    def test_a_pkcs12_file_is_no_authority(self) -> None:
        problem = self.assertRaises(BadCredentials, load_certificates, self.bundle(), "authority")
        self.assertIn(", but PKCS#12; convert it with: openssl pkcs12 -in FILE", str(problem))
