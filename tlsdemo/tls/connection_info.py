"""The parameters that a handshake, and the negotiation before it, have settled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509

from tlsdemo.printable import printable
from tlsdemo.tls.groups import group_of
from tlsdemo.tls.peer_subject import subject_of


@dataclass(frozen=True)
class ConnectionInfo:
    """The negotiated parameters of a connection, as text.

    The peer has chosen most of them; ``str()`` returns one line without control characters.

    Attributes:
        version: The version of TLS, such as ``TLSv1.3``.
        cipher: The cipher suite, by OpenSSL's name.
        group: The group of the key exchange, by OpenSSL's name; ``None`` if pyOpenSSL cannot tell.
        alpn: The application protocol (RFC 7301); ``None`` if none was negotiated.
        sni: The server name that the client requested (RFC 6066, section 3), if any.
        peer: The subject of the peer's certificate (RFC 4514); ``None`` if the peer sent none.  Of
            a subject that cannot be read, a text with the certificate's fingerprint.
        upgraded: Whether plaintext was exchanged before TLS.  If not, the connection began with
            TLS, and a server that greets has yet to greet.
    """

    version: str
    cipher: str
    alpn: str | None
    sni: str | None
    peer: str | None
    upgraded: bool = False
    # Not a default of the class, which would be found in place of a value that is not known yet.
    group: str | None = field(default_factory=lambda: None)

    def __str__(self) -> str:
        names = ("group", "alpn", "sni", "peer")
        optional = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return printable(" ".join([self.version, self.cipher, *optional]))

    def __reduce__(self) -> tuple[Any, ...]:
        # pyOpenSSL's certificate can be neither copied nor pickled, but its subject can.
        values = (self.version, self.cipher, self.alpn, self.sni, self.peer, self.upgraded)
        return type(self), (*values, self.group)


def _alpn_of(connection: SSL.Connection) -> str | None:
    return connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace") or None


def _sni_of(connection: SSL.Connection) -> str | None:
    sni = connection.get_servername()
    return None if sni is None else sni.decode("ascii", "backslashreplace")


def _subject_of(certificate: X509 | None) -> str | None:
    return None if certificate is None else subject_of(certificate)


_ASK: Mapping[str, Callable[[SSL.Connection], object]] = {
    "version": SSL.Connection.get_protocol_version_name,
    "cipher": lambda connection: connection.get_cipher_name() or "",
    "group": group_of,
    "alpn": _alpn_of,
    "sni": _sni_of,
    "peer": lambda connection: _subject_of(connection.get_peer_certificate()),
}
"""How a connection is asked for each parameter."""


def _find(info: ConnectionInfo, name: str) -> object:
    values = vars(info)
    if "_connection" in values and name in _ASK:
        values[name] = _ASK[name](values["_connection"])
    elif "_certificate" in values and name == "peer":
        values[name] = _subject_of(values.pop("_certificate"))
    else:
        raise AttributeError(f"{type(info).__name__!r} object has no attribute {name!r}")
    return values[name]


# Called only for missing attributes.  Inside the class, it would make mypy accept any attribute.
ConnectionInfo.__getattr__ = _find  # type: ignore[attr-defined]


def connection_info_of(connection: SSL.Connection, upgraded: bool = False) -> ConnectionInfo:
    """Return the parameters of a connection whose handshake is complete.

    Each is asked for when it is read, as many a server reads none, or few.  Until then this refers
    to the connection, so :func:`settle` has to be called when that ends.
    """
    info = object.__new__(ConnectionInfo)
    values = vars(info)
    values["upgraded"] = upgraded
    values["_connection"] = connection
    return info


def settle(info: ConnectionInfo) -> None:
    """Find all parameters, once, and drop the reference to the connection."""
    values = vars(info)
    connection: SSL.Connection = values.pop("_connection")
    if "peer" not in values:
        # Parsing takes longer than everything else and is rarely needed: so only on access.
        values["_certificate"] = connection.get_peer_certificate()
    for name in _ASK.keys() - values.keys() - {"peer"}:
        values[name] = _ASK[name](connection)
