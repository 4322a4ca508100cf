"""The parameters that a handshake, and the negotiation before it, have settled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from OpenSSL import SSL

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


def _find(info: ConnectionInfo, name: str) -> object:
    values = vars(info)
    if name in ("version", "cipher", "alpn", "sni", "group") and "_connection" in values:
        settle(info)
        return values[name]
    if name != "peer":
        raise AttributeError(f"{type(info).__name__!r} object has no attribute {name!r}")
    settle(info)
    if "_certificate" in values:
        values["peer"] = subject_of(values.pop("_certificate"))
    return values["peer"]


# Called only for missing attributes.  Inside the class, it would make mypy accept any attribute.
ConnectionInfo.__getattr__ = _find  # type: ignore[attr-defined]


def connection_info_of(connection: SSL.Connection, upgraded: bool = False) -> ConnectionInfo:
    """Return the parameters of a connection whose handshake is complete.

    They are asked for when the first is read, as many a server reads none.  Until then this refers
    to the connection, so :func:`settle` has to be called when that ends.
    """
    info = object.__new__(ConnectionInfo)
    values = vars(info)
    values["upgraded"] = upgraded
    values["_connection"] = connection
    return info


def settle(info: ConnectionInfo) -> None:
    """Find all parameters, and drop the reference to the connection."""
    values = vars(info)
    connection: SSL.Connection | None = values.pop("_connection", None)
    if connection is None:
        return
    sni = connection.get_servername()
    alpn = connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace")
    certificate = connection.get_peer_certificate()
    values["version"] = connection.get_protocol_version_name()
    values["cipher"] = connection.get_cipher_name() or ""
    values["alpn"] = alpn or None
    values["sni"] = None if sni is None else sni.decode("ascii", "backslashreplace")
    values["group"] = group_of(connection)
    if certificate is None:
        values["peer"] = None
    else:
        # Parsing takes longer than everything else and is rarely needed: so only on access.
        values["_certificate"] = certificate
