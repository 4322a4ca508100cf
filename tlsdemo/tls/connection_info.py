"""The parameters that a handshake, and the negotiation before it, have settled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.x509 import Name
from OpenSSL import SSL

from tlsdemo.printable import printable
from tlsdemo.tls.groups import group_of


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
        peer: The subject of the peer's certificate (RFC 4514); ``None`` if the peer sent none.
        upgraded: Whether plaintext was exchanged before TLS.  If not, the connection began with
            TLS, and a server that greets has yet to greet.
    """

    version: str
    cipher: str
    alpn: str | None
    sni: str | None
    peer: str | None
    upgraded: bool = False
    group: str | None = None

    def __str__(self) -> str:
        names = ("group", "alpn", "sni", "peer")
        optional = [f"{name}={getattr(self, name)}" for name in names if getattr(self, name)]
        return printable(" ".join([self.version, self.cipher, *optional]))

    def __reduce__(self) -> tuple[Any, ...]:
        # pyOpenSSL's certificate can be neither copied nor pickled, but its subject can.
        values = (self.version, self.cipher, self.alpn, self.sni, self.peer, self.upgraded)
        return type(self), (*values, self.group)


def _find_peer(info: ConnectionInfo, name: str) -> str:
    if name != "peer":
        raise AttributeError(f"{type(info).__name__!r} object has no attribute {name!r}")
    values = vars(info)
    subject: Name = values.pop("_certificate").to_cryptography().subject
    values["peer"] = peer = subject.rfc4514_string()
    return peer


# Called only for missing attributes.  Inside the class, it would make mypy accept any attribute.
ConnectionInfo.__getattr__ = _find_peer  # type: ignore[attr-defined]


def connection_info_of(connection: SSL.Connection, upgraded: bool = False) -> ConnectionInfo:
    """Return the parameters of a connection whose handshake is complete."""
    certificate = connection.get_peer_certificate()
    sni = connection.get_servername()
    info = ConnectionInfo(
        version=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name() or "",
        alpn=connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace") or None,
        sni=None if sni is None else sni.decode("ascii", "backslashreplace"),
        peer=None,
        upgraded=upgraded,
        group=group_of(connection),
    )
    if certificate is not None:
        # Parsing takes longer than everything else and is rarely needed: so only on access.
        values = vars(info)
        values["_certificate"] = certificate
        del values["peer"]
    return info
