"""The certificate that an end has, its key, and the chain that it sends with it.

Theory of operation.  Where the file of a certificate has no chain, OpenSSL looks for one among the
authorities that are trusted, and sends what it has found (RFC 8446, section 4.4.2).  It does so in
each handshake, and verifies each signature of the chain, which nobody wants to know: a seventh of
all that a server does in a handshake.  So the same is done once for each context, and what is sent
is the same.
"""

from __future__ import annotations

from pathlib import Path

from OpenSSL import SSL
from OpenSSL.crypto import (
    FILETYPE_PEM,
    X509,
    Error,
    PKey,
    X509StoreContext,
    X509StoreContextError,
    load_certificate,
)

from tlsdemo.certificates.identity import is_pkcs12, load_identity


def use_certificate(
    context: SSL.Context, certificate: Path, key: Path, passphrase: bytes | None
) -> None:
    """Use a certificate, its key and its chain, which what ``context`` trusts may complete."""
    if passphrase is None and not is_pkcs12(certificate):
        context.use_certificate_chain_file(str(certificate))
        context.use_privatekey_file(str(key))
        # If there is more in that file, OpenSSL prefers it to what is found.
        leaf, more = _first_in(certificate), []
    else:
        identity = load_identity(certificate, key, passphrase)
        leaf, *more = map(X509.from_cryptography, identity.chain)
        context.use_certificate(leaf)
        context.use_privatekey(PKey.from_cryptography_key(identity.key))  # type: ignore[arg-type]
    context.check_privatekey()
    for each in more or _found_for(context, leaf):
        context.add_extra_chain_cert(each)


def _first_in(certificates: Path) -> X509 | None:
    """Return the first certificate of a file; ``None`` of one that is only for OpenSSL itself."""
    try:
        return load_certificate(FILETYPE_PEM, certificates.read_bytes())
    except Error:
        # Such as a TRUSTED CERTIFICATE (openssl-x509(1)).
        return None


def _found_for(context: SSL.Context, own: X509 | None) -> list[X509]:
    """Return the chain that OpenSSL finds for ``own``.

    It is empty if none is valid now: then OpenSSL looks in each handshake, as it would have.
    """
    store = context.get_cert_store()
    if own is None or store is None:
        return []
    try:
        return X509StoreContext(store, own).get_verified_chain()[1:]
    except X509StoreContextError:
        return []
