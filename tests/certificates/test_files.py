"""Files that OpenSSL could not use, and the errors for them."""

from __future__ import annotations

import ssl
from base64 import b64decode, b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.certificates.files import BadCredentials, Credentials, load_certificates

NOW = datetime(2026, 5, 4, 12, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)
CA = trustme.CA()
P256 = bytes.fromhex("06082a8648ce3d030107")
UNKNOWN_CURVE = bytes.fromhex("06082a8648ce3d03017f")


def leaf(not_before: datetime = NOW - DAY, not_after: datetime = NOW + DAY) -> trustme.LeafCert:
    """Issue a certificate, valid at NOW by default."""
    return CA.issue_cert("localhost", not_before=not_before, not_after=not_after)


def certificate_pem(issued: trustme.LeafCert) -> bytes:
    """Return the certificate alone."""
    return issued.cert_chain_pems[0].bytes()


def altered(pem: bytes, old: bytes, new: bytes) -> bytes:
    """Replace bytes of equal number inside of a PEM block."""
    begin, *body, end = pem.splitlines()
    der = b64decode(b"".join(body))
    assert old in der
    assert len(old) == len(new)
    return b"\n".join([begin, b64encode(der.replace(old, new, 1)), end, b""])


class CredentialsTests(SynchronousTestCase):
    """What `Credentials.check` accepts, and its errors."""

    def setUp(self) -> None:
        self.directory = Path(self.mktemp())
        self.directory.mkdir()
        self.leaf = leaf()
        self.certificate = self.file("cert.pem", certificate_pem(self.leaf))
        self.key = self.file("cert.key", self.leaf.private_key_pem.bytes())
        self.authority = self.file("ca.pem", CA.cert_pem.bytes())

    def test_files_can_be_named_by_strings(self) -> None:
        self.assertEqual(
            Credentials(str(self.certificate), str(self.key), authority=str(self.authority)),
            Credentials(self.certificate, self.key, self.authority),
        )

    def file(self, name: str, content: bytes) -> Path:
        path = self.directory / name
        path.write_bytes(content)
        return path

    def error(
        self,
        certificate: Path | None = None,
        key: Path | None = None,
        authority: Path | None = None,
    ) -> str:
        """Return the error for these files, which is always one line."""
        error = self.assertRaises(
            BadCredentials, Credentials(certificate, key, authority).check, NOW
        )
        self.assertEqual(1, len(str(error).splitlines()))
        return str(error)

    def test_a_complete_valid_set_is_accepted(self) -> None:
        Credentials(self.certificate, self.key, self.authority).check(NOW)

    def test_no_files_at_all_are_accepted(self) -> None:
        Credentials(None, None, None).check(NOW)

    def test_the_first_and_the_last_second_of_a_certificate_are_valid(self) -> None:
        credentials = Credentials(self.certificate, self.key, None)
        credentials.check(NOW - DAY)
        credentials.check(NOW + DAY)

    def test_one_file_may_hold_certificate_and_key(self) -> None:
        both = certificate_pem(self.leaf) + self.leaf.private_key_pem.bytes()
        path = self.file("both.pem", both)
        Credentials(path, path, None).check(NOW)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path)

    def test_a_key_after_its_curve_parameters_is_accepted_as_openssl_writes_it(self) -> None:
        parameters = b64encode(P256)
        key = b"-----BEGIN EC PARAMETERS-----\n%s\n-----END EC PARAMETERS-----\n%s" % (
            parameters,
            self.leaf.private_key_pem.bytes(),
        )
        path = self.file("parameters.key", key)
        Credentials(self.certificate, path, None).check(NOW)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, path)

    def test_a_missing_file_is_named_with_its_role(self) -> None:
        nowhere = self.directory / "nowhere"
        reason = f"{str(nowhere)!r} cannot be read: No such file or directory"
        self.assertEqual(f"certificate {reason}", self.error(nowhere, self.key))
        self.assertEqual(f"key {reason}", self.error(self.certificate, nowhere))
        self.assertEqual(f"authority {reason}", self.error(authority=nowhere))

    def test_a_directory_is_not_a_file(self) -> None:
        self.assertEqual(
            f"authority {str(self.directory)!r} cannot be read: Is a directory",
            self.error(authority=self.directory),
        )

    def test_a_file_without_permission_is_an_error_that_says_so(self) -> None:
        def refuse(path: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(path))

        # For root, who may run the tests, no mode of a file does this.
        self.patch(Path, "read_bytes", refuse)
        self.assertEqual(
            f"authority {str(self.authority)!r} cannot be read: Permission denied",
            self.error(authority=self.authority),
        )

    def test_a_newline_in_a_path_does_not_break_the_line(self) -> None:
        self.assertIn(r"two\nlines", self.error(authority=Path("two\nlines")))

    def test_a_certificate_needs_its_key(self) -> None:
        self.assertEqual(
            f"certificate {str(self.certificate)!r} needs its key as well",
            self.error(certificate=self.certificate),
        )

    def test_a_key_needs_its_certificate(self) -> None:
        self.assertEqual(
            f"key {str(self.key)!r} needs its certificate as well", self.error(key=self.key)
        )

    def test_a_file_of_another_kind_holds_no_certificate(self) -> None:
        self.assertRegex(
            self.error(self.key, self.key),
            rf"^certificate {str(self.key)!r} holds no PEM certificate .*, "
            "but a private key; give it as --key$",
        )
        self.assertIn("holds no PEM", self.error(authority=self.file("empty.pem", b"")))

    def test_a_file_of_another_kind_holds_no_key(self) -> None:
        self.assertIn(
            f"key {str(self.certificate)!r} holds no private key in PEM",
            self.error(self.certificate, self.certificate),
        )

    def test_a_truncated_certificate_is_damaged(self) -> None:
        path = self.file("cut.pem", certificate_pem(self.leaf)[:200])
        self.assertIn(f"certificate {str(path)!r} is damaged: ", self.error(path, self.key))

    def test_one_damaged_certificate_damages_the_bundle(self) -> None:
        damaged = altered(CA.cert_pem.bytes(), b"\x17\r000101", b"\x00\r000101")
        path = self.file("bundle.pem", CA.cert_pem.bytes() + damaged)
        self.assertIn(f"authority {str(path)!r} is damaged: ", self.error(authority=path))

    def test_a_truncated_key_is_damaged_and_not_shown(self) -> None:
        pem = self.leaf.private_key_pem.bytes()
        error = self.error(self.certificate, self.file("cut.key", pem[:100]))
        self.assertIn("cut.key' is damaged, or of a kind that is not supported", error)
        self.assertNotIn(pem.splitlines()[1][:10].decode(), error)

    def test_the_error_for_an_encrypted_key_says_what_is_missing(self) -> None:
        key = load_pem_private_key(self.leaf.private_key_pem.bytes(), None)
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            pem = key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret"))
            self.assertRegex(
                self.error(self.certificate, self.file("encrypted.key", pem)),
                r"^key '.*encrypted.key' is encrypted; give its passphrase with --passphrase-file$",
            )
            path = self.file("encrypted.key", pem)
            Credentials(self.certificate, path, None, b"secret").check(NOW)
            wrong = Credentials(self.certificate, path, None, b"wrong")
            problem = self.assertRaises(BadCredentials, wrong.check, NOW)
            self.assertIn("cannot be decrypted with that passphrase", str(problem))
            self.assertNotIn("secret", repr(Credentials(None, None, None, b"secret")))

    def test_the_error_for_an_expired_leaf_has_the_date(self) -> None:
        expired = leaf(NOW - 2 * DAY, NOW - DAY)
        path = self.file("expired.pem", certificate_pem(expired))
        self.assertEqual(
            f"certificate {str(path)!r} expired on 2026-05-03 12:30:00 UTC",
            self.error(path, self.file("expired.key", expired.private_key_pem.bytes())),
        )

    def test_the_error_for_a_leaf_that_is_not_yet_valid_has_the_date(self) -> None:
        early = leaf(NOW + DAY, NOW + 2 * DAY)
        path = self.file("early.pem", certificate_pem(early))
        self.assertEqual(
            f"certificate {str(path)!r} is not valid before 2026-05-05 12:30:00 UTC",
            self.error(path, self.file("early.key", early.private_key_pem.bytes())),
        )

    def test_another_key_does_not_match(self) -> None:
        other = self.file("other.key", leaf().private_key_pem.bytes())
        self.assertEqual(
            f"key {str(other)!r} does not match certificate {str(self.certificate)!r}",
            self.error(self.certificate, other),
        )

    def test_a_chain_begins_with_its_leaf(self) -> None:
        pem = certificate_pem(self.leaf)
        good = self.file("good.pem", pem + CA.cert_pem.bytes())
        Credentials(good, self.key, None).check(NOW)
        reversed_chain = self.file("reversed.pem", CA.cert_pem.bytes() + pem)
        self.assertIn(
            "it belongs to number 2 of 2 in that file", self.error(reversed_chain, self.key)
        )

    def test_an_unknown_kind_of_public_key_is_rejected(self) -> None:
        path = self.file("odd.pem", altered(certificate_pem(self.leaf), P256, UNKNOWN_CURVE))
        self.assertIn(
            f"certificate {str(path)!r} has a public key that cannot be used: ",
            self.error(path, self.key),
        )

    def test_an_unknown_kind_of_private_key_is_rejected(self) -> None:
        pem = altered(self.leaf.private_key_pem.bytes(), P256, UNKNOWN_CURVE)
        self.assertIn(
            "of a kind that is not supported",
            self.error(self.certificate, self.file("odd.key", pem)),
        )

    def test_a_bundle_may_contain_an_expired_ca(self) -> None:
        expired = certificate_pem(leaf(NOW - 2 * DAY, NOW - DAY))
        Credentials(None, None, self.file("one.pem", expired + CA.cert_pem.bytes())).check(NOW)

    def test_the_error_for_an_expired_ca_has_the_date(self) -> None:
        path = self.file("expired.pem", certificate_pem(leaf(NOW - 2 * DAY, NOW - DAY)))
        self.assertEqual(
            f"authority {str(path)!r} expired on 2026-05-03 12:30:00 UTC",
            self.error(authority=path),
        )

    def test_the_error_for_a_bundle_without_a_valid_ca_has_the_first_date(self) -> None:
        expired = certificate_pem(leaf(NOW - 2 * DAY, NOW - DAY))
        early = certificate_pem(leaf(NOW + DAY, NOW + 2 * DAY))
        path = self.file("none.pem", expired + early)
        self.assertEqual(
            f"authority {str(path)!r} holds 2 certificates, none valid:"
            " the first expired on 2026-05-03 12:30:00 UTC",
            self.error(authority=path),
        )

    def test_a_serial_number_of_zero_is_accepted_without_a_warning(self) -> None:
        # Some bundles of operating systems hold one. No library makes it, so it takes a forger.
        self.patch(x509, "random_serial_number", lambda: 1)
        version_and_serial = bytes.fromhex("020102 0201")
        pem = altered(
            trustme.CA().cert_pem.bytes(), version_and_serial + b"\1", version_and_serial + b"\0"
        )
        Credentials(None, None, self.file("zero.pem", pem)).check(NOW)
        self.assertEqual([], self.flushWarnings())

    def test_certificates_are_returned_in_the_order_of_the_file(self) -> None:
        two = certificate_pem(self.leaf) + b"some words\n" + CA.cert_pem.bytes()
        found = load_certificates(self.file("two.pem", two))
        self.assertEqual(
            two.replace(b"some words\n", b""),
            b"".join(one.public_bytes(Encoding.PEM) for one in found),
        )
