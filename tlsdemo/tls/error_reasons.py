"""Translates the errors of Twisted and OpenSSL into close reasons.

A failed verification, an alert and a stray HTTP request all arrive as ``OpenSSL.SSL.Error`` with a
list of texts.  The tables below map these texts to causes.
"""

from __future__ import annotations

import re
from typing import Any

from OpenSSL import SSL
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import IPAddress_ID
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.tls.tls_connection import TLSConnection

_Codes = SSL.X509VerificationCodes

_VERIFY_ERRORS = {
    _Codes.OK: (Cause.CERTIFICATE_INVALID, "the context does not report why"),
    _Codes.ERR_CERT_HAS_EXPIRED: (Cause.CERTIFICATE_EXPIRED, "it has expired"),
    _Codes.ERR_CERT_NOT_YET_VALID: (Cause.CERTIFICATE_EXPIRED, "it is not valid yet"),
    _Codes.ERR_DEPTH_ZERO_SELF_SIGNED_CERT: (Cause.CERTIFICATE_UNTRUSTED, "it is self-signed"),
    _Codes.ERR_SELF_SIGNED_CERT_IN_CHAIN: (
        Cause.CERTIFICATE_UNTRUSTED,
        "its chain ends in an authority that is not trusted here",
    ),
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT: (
        Cause.CERTIFICATE_UNTRUSTED,
        "an issuer in its chain is missing",
    ),
    _Codes.ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: (
        Cause.CERTIFICATE_UNTRUSTED,
        "its issuer is not trusted here",
    ),
    _Codes.ERR_CERT_SIGNATURE_FAILURE: (
        Cause.CERTIFICATE_UNTRUSTED,
        "its signature is not its issuer's",
    ),
}
"""The results of a verification (``X509_V_ERR_``, X509_STORE_CTX_get_error(3ssl))."""

_REASONS = {
    "peer did not return a certificate": Cause.CERTIFICATE_MISSING,
    "wrong version number": Cause.PLAINTEXT,
    "http request": Cause.PLAINTEXT,
    "https proxy request": Cause.PLAINTEXT,
    "packet length too long": Cause.PLAINTEXT,
    "bad record type": Cause.PLAINTEXT,
    "unsupported protocol": Cause.NO_COMMON_VERSION,
    "no protocols available": Cause.NO_COMMON_VERSION,
    "no shared cipher": Cause.NO_COMMON_CIPHER,
    "no suitable signature algorithm": Cause.NO_COMMON_CIPHER,
    "no suitable key share": Cause.NO_COMMON_CIPHER,
}
"""The reasons (openssl/sslerr.h) of errors that OpenSSL detects itself."""

_ALERT = re.compile(r"(?:ssl|tls)\S* alert (.+)")
"""The reason of an error after an alert; the first word depends on OpenSSL's version."""


class Insecure(Exception):
    """A connection could not be secured; ``close_reason`` is the reason."""

    def __init__(self, close_reason: CloseReason) -> None:
        super().__init__(str(close_reason))
        self.close_reason = close_reason


def is_end_of_file(error: SSL.Error) -> bool:
    """Return whether the wire ended without close_notify; other errors are not that."""
    # When called once more, OpenSSL 4 reports an error without arguments.
    return isinstance(error, SSL.SysCallError) or not any(error.args)


def ssl_error_reason(error: SSL.Error, connection: TLSConnection) -> CloseReason:
    """Return the close reason for an ``error`` of ``connection``."""
    # The error itself comes first, then in some versions those of the layers above.
    queue = [] if is_end_of_file(error) else error.args[0]
    reasons = [str(reason) for library, _, reason in queue if library == "SSL routines"]
    for reason in reasons:
        if reason == "certificate verify failed":
            return _of_verification(connection)
        if alert := _ALERT.fullmatch(reason):
            return CloseReason(Cause.REJECTED_BY_PEER, f"its alert says {alert[1]!r}")
        if reason in _REASONS:
            return CloseReason(_REASONS[reason], reason)
    return CloseReason(Cause.PROTOCOL_ERROR, reasons[0] if reasons else "TLS ended unexpectedly")


def _of_verification(connection: TLSConnection) -> CloseReason:
    if connection.name_error is not None:
        return CloseReason(Cause.WRONG_NAME, name_problem(connection.name_error))
    number = connection.verify_error
    if number in _VERIFY_ERRORS:
        return CloseReason(*_VERIFY_ERRORS[number])
    return CloseReason(Cause.CERTIFICATE_INVALID, _verify_error_text(number))


def _verify_error_text(number: int) -> str:
    """Return OpenSSL's text for an ``X509_V_ERR_`` number, and the number."""
    try:
        text = SSL._ffi.string(SSL._lib.X509_verify_cert_error_string(number))  # type: ignore[attr-defined]
    except AttributeError:
        return f"verification ended with error {number}"
    return f"{text.decode('ascii', 'replace')} (verification error {number})"


def close_reason_of(reason: Failure, connection: TLSConnection, secure: bool) -> CloseReason:
    """Return the close reason for the ``reason`` that a ``connectionLost`` was called with.

    ``secure``: whether the connection was secure before it was lost.
    """
    error = reason.value
    if isinstance(error, SSL.Error):
        return ssl_error_reason(error, connection)
    if isinstance(error, VerificationError | CertificateError):
        return CloseReason(Cause.WRONG_NAME, name_problem(error))
    if not secure and connection.silent:
        return CloseReason(Cause.PROBE, "the client closed before it sent a ClientHello")
    if not secure:
        return CloseReason(Cause.HANDSHAKE_INTERRUPTED, "the peer closed before it was complete")
    if isinstance(error, ConnectionDone):
        return CLEAN
    return CloseReason(Cause.TRUNCATED, "the peer closed without close_notify")


def name_problem(error: Exception) -> str:
    """Return a text with the name that the certificate should have been valid for."""
    if isinstance(error, VerificationError):
        wanted = ", ".join(_wanted(mismatch.mismatched_id) for mismatch in error.errors)
        return f"the certificate is not valid for {wanted}"
    return f"the certificate contains no name: {error}"


def _wanted(identity: Any) -> str:
    return str(identity.ip) if isinstance(identity, IPAddress_ID) else identity.hostname.decode()
