"""The verification of a peer's certificate during the handshake: its chain, then its name.

Theory of operation.  OpenSSL verifies the chain, and calls a callback with the result for each of
its certificates.  The callback for the leaf also verifies the name, so that a client knows before
it sends its own certificate.  OpenSSL derives the alert from the error number that it finds when
the callback has returned 0 (RFC 8446, section 6.2): for a wrong name that has to be
``X509_V_ERR_HOSTNAME_MISMATCH``, or the alert is internal_error.  For two other errors OpenSSL's
alert is not the RFC's, so another number stands for them; the close reason has the original.  A
callback of pyOpenSSL cannot set the number, so this one is OpenSSL's own.  It is one for all
contexts, so nothing has to keep it alive for as long as there are connections.  A server verifies
no name, so its callback does nothing for a certificate that is good, unless an observer wants to
know.

It uses private names of pyOpenSSL.  In a version that lacks them, pyOpenSSL calls ours: everything
is the same but these alerts.
"""

from __future__ import annotations

import typing
from typing import Any, cast

from OpenSSL import SSL
from OpenSSL.crypto import X509

from tlsdemo.tls.tls_connection import TLSConnection

_NAMES = (
    "SSL_CTX_set_verify",
    "SSL_get_verify_mode",
    "SSL_get_ex_data_X509_STORE_CTX_idx",
    "SSL_set_verify",
    "X509_STORE_CTX_get_current_cert",
    "X509_STORE_CTX_get_error",
    "X509_STORE_CTX_get_error_depth",
    "X509_STORE_CTX_get_ex_data",
    "X509_STORE_CTX_set_error",
    "X509_up_ref",
)


class _Callbacks(typing.NamedTuple):
    """Verification callbacks for OpenSSL: of the chain only, and of the name too."""

    chain: Any
    name: Any


def _make_callbacks() -> _Callbacks | None:
    """Return the callbacks, or ``None`` if pyOpenSSL lacks what they need."""
    try:
        ffi, lib = SSL._ffi, SSL._lib  # type: ignore[attr-defined]
        for name in _NAMES:
            getattr(lib, name)
        connections = SSL.Connection._reverse_mapping
        certificate_of = X509._from_raw_x509_ptr
        _ = SSL.Context(SSL.TLS_METHOD)._context
        codes = SSL.X509VerificationCodes
        mismatch = codes.ERR_HOSTNAME_MISMATCH
        # "Expired or is not currently valid", and "signatures that did not verify correctly".
        instead = {
            codes.ERR_CERT_NOT_YET_VALID: codes.ERR_CERT_HAS_EXPIRED,
            codes.ERR_CERT_SIGNATURE_FAILURE: codes.ERR_CERT_REJECTED,
        }
    except AttributeError:
        return None
    index = lib.SSL_get_ex_data_X509_STORE_CTX_idx()

    def connection_of(store: Any) -> TLSConnection:
        found = connections[lib.X509_STORE_CTX_get_ex_data(store, index)]
        return cast(TLSConnection, found)

    def verify_chain(ok: int, store: Any) -> int:
        if not ok:
            number = lib.X509_STORE_CTX_get_error(store)
            connection_of(store).reject_chain(number)
            lib.X509_STORE_CTX_set_error(store, instead.get(number, number))
        return ok

    def verify_name(ok: int, store: Any) -> int:
        if not ok:
            return verify_chain(ok, store)
        # Verify the name here too: our own certificate has not been sent yet.
        if lib.X509_STORE_CTX_get_error_depth(store) > 0:
            return 1
        ours = connection_of(store)
        certificate = lib.X509_STORE_CTX_get_current_cert(store)
        lib.X509_up_ref(certificate)
        if ours.verify_name(certificate_of(certificate)):
            return 1
        lib.X509_STORE_CTX_set_error(store, mismatch)
        return 0

    kind = "int (*)(int, X509_STORE_CTX *)"
    return _Callbacks(ffi.callback(kind, verify_chain), ffi.callback(kind, verify_name))


def _verify(
    connection: SSL.Connection, certificate: X509, number: int, depth: int, ok: int
) -> bool:
    """Do the same, called by pyOpenSSL."""
    ours = cast(TLSConnection, connection)
    if not ok:
        ours.reject_chain(number)
        return False
    return depth > 0 or ours.verify_name(certificate)


_callbacks = _make_callbacks()

verifies_directly = _callbacks is not None
"""Whether OpenSSL calls us, so that a wrong name has the right alert."""


def set_verification(context: SSL.Context, mode: int, names: bool) -> None:
    """Have connections of ``context`` verify their peers; ``mode`` as for ``set_verify``.

    ``names``: whether names are verified too.
    """
    if _callbacks is None:
        context.set_verify(mode, _verify)
    else:
        lib = SSL._lib  # type: ignore[attr-defined]
        callback = _callbacks.name if names else _callbacks.chain
        lib.SSL_CTX_set_verify(context._context, mode, callback)


def observe_verification(connection: TLSConnection) -> None:
    """Have a server's connection report the certificate that it has verified."""
    if _callbacks is not None:
        lib, ssl = SSL._lib, connection._ssl  # type: ignore[attr-defined]
        lib.SSL_set_verify(ssl, lib.SSL_get_verify_mode(ssl), _callbacks.name)
