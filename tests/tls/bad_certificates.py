"""Certificates that must not be accepted, made once in a run; nothing but one thing is wrong."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from tests.support import certificates, now
from tlsdemo.certificates.files import Credentials

DAY = timedelta(days=1)
SERVER = x509.SubjectAlternativeName([x509.DNSName("localhost")])


@functools.cache
def directory() -> Path:
    made = Path.cwd() / "hostile"
    made.mkdir()
    return made


def file(name: str, *contents: bytes) -> Path:
    path = directory() / name
    path.write_bytes(b"".join(contents))
    return path


def trusted() -> Path:
    return certificates().authority


@functools.cache
def untrusted_ca() -> trustme.CA:
    """An authority that no end trusts."""
    return trustme.CA(organization_name="untrusted_ca")


@functools.cache
def expired() -> Credentials:
    return issue("expired", [SERVER], after=-DAY)


@functools.cache
def premature() -> Credentials:
    return issue("premature", [SERVER], before=DAY)


@functools.cache
def other_name() -> Credentials:
    return issue("other_name", [x509.SubjectAlternativeName([x509.DNSName("example.org")])])


@functools.cache
def no_name() -> Credentials:
    return issue("no_name", [])


@functools.cache
def unreadable_name() -> Credentials:
    """One whose name is in Latin 1, which OpenSSL minds as little as cryptography likes it."""
    der = bytes.fromhex("3004 8202 68e9")
    oid = ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    return issue("unreadable", [x509.UnrecognizedExtension(oid, der)])


@functools.cache
def unreadable_subject() -> Credentials:
    """A good one whose subject is in Latin 1, a TeletexString, as those of old authorities are."""
    made = issue("latin1", [SERVER])
    assert made.certificate is not None
    certificate = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    der = certificate.public_bytes(Encoding.DER)
    old = certificate.tbs_certificate_bytes
    new = old.replace(b"\x0c\x06latin1", b"\x14\x06l\xe4tin1")
    # Between the two is the name of the algorithm, then comes the signature, a BIT STRING.
    algorithm = der[der.index(old) + len(old) :].removesuffix(certificate.signature)[:-3]
    signature = trusted_key().sign(new, ec.ECDSA(SHA256()))
    content = new + algorithm + bytes([3, len(signature) + 1, 0]) + signature
    signed = b"\x30\x82" + len(content).to_bytes(2, "big") + content
    pem = ssl.DER_cert_to_PEM_cert(signed).encode()
    return Credentials(file("latin1.pem", pem), made.key, trusted())


@functools.cache
def other_purpose() -> Credentials:
    """A certificate for clients only."""
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return issue("other_purpose", [SERVER, purpose])


@functools.cache
def forged() -> Credentials:
    """A certificate with a forged signature of the trusted authority."""
    return issue("forged", [SERVER], signer=ec.generate_private_key(ec.SECP256R1()))


@functools.cache
def of_a_stranger() -> Credentials:
    leaf = untrusted_ca().issue_cert("localhost")
    return of_leaf("untrusted_ca", leaf.cert_chain_pems[:1], leaf)


@functools.cache
def of_a_stranger_with_chain() -> Credentials:
    leaf = untrusted_ca().issue_cert("localhost")
    return of_leaf("chain", [*leaf.cert_chain_pems, untrusted_ca().cert_pem], leaf)


@functools.cache
def self_signed() -> Credentials:
    one = file("alone.pem", untrusted_ca().private_key_pem.bytes(), untrusted_ca().cert_pem.bytes())
    return Credentials(one, one, trusted())


@functools.cache
def of_an_intermediate() -> Credentials:
    """Its authority is the intermediate alone, without whoever issued that."""
    intermediate = untrusted_ca().create_child_ca()
    leaf = intermediate.issue_cert("localhost")
    made = of_leaf("intermediate", leaf.cert_chain_pems[:1], leaf)
    authority = file("intermediate.ca.pem", intermediate.cert_pem.bytes())
    return Credentials(made.certificate, made.key, authority)


def trusted_key() -> ec.EllipticCurvePrivateKey:
    loaded = load_pem_private_key(trusted().with_suffix(".key").read_bytes(), None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    return loaded


def of_leaf(name: str, chain: Iterable[trustme.Blob], leaf: trustme.LeafCert) -> Credentials:
    certificate = file(f"{name}.pem", *(pem.bytes() for pem in chain))
    return Credentials(certificate, file(f"{name}.key", leaf.private_key_pem.bytes()), trusted())


def issue(
    name: str,
    extensions: Iterable[x509.ExtensionType],
    *,
    before: timedelta = -2 * DAY,
    after: timedelta = 2 * DAY,
    signer: ec.EllipticCurvePrivateKey | None = None,
) -> Credentials:
    """Issue a certificate by the trusted authority, or by another with the same name."""
    issuer = x509.load_pem_x509_certificate(trusted().read_bytes())
    signer = signer or trusted_key()
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() + before)
        .not_valid_after(now() + after)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False
        )
    )
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    certificate = builder.sign(signer, SHA256()).public_bytes(Encoding.PEM)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Credentials(file(f"{name}.pem", certificate), file(f"{name}.key", pem), trusted())
