"""What two peers agreed on, in a handshake and before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.x509 import Name
from OpenSSL import SSL


@dataclass(frozen=True)
class ConnectionInfo:
    """What ``secure`` carries.

    ``version``: such as ``TLSv1.3``.  ``cipher``: OpenSSL's name of the suite.  ``alpn``: the
    protocol agreed on, ``None`` if none was.  ``sni``: the name that the client asked for.
    ``peer``: the subject of the peer's certificate (RFC 4514), ``None`` if it showed none.
    ``upgraded``: whether plaintext was exchanged before TLS; if not, the connection began with TLS.
    A protocol in which the server greets begins with its greeting in the second case only.
    """

    version: str
    cipher: str
    alpn: str | None
    sni: str | None
    peer: str | None
    upgraded: bool = False

    def __str__(self) -> str:
        optional = (("alpn", self.alpn), ("sni", self.sni), ("peer", self.peer))
        return " ".join(
            [self.version, self.cipher, *(f"{name}={value}" for name, value in optional if value)]
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, or a pickle, holds the subject: a certificate of pyOpenSSL can be neither.
        values = (self.version, self.cipher, self.alpn, self.sni, self.peer, self.upgraded)
        return type(self), values


def _find_peer(info: ConnectionInfo, name: str) -> str:
    if name != "peer":
        raise AttributeError(f"{type(info).__name__!r} object has no attribute {name!r}")
    values = vars(info)
    subject: Name = values.pop("_certificate").to_cryptography().subject
    values["peer"] = peer = subject.rfc4514_string()
    return peer


# Only called for what is not there yet.  In the class, it would have mypy accept any attribute.
ConnectionInfo.__getattr__ = _find_peer  # type: ignore[attr-defined]


def connection_info_of(connection: SSL.Connection, upgraded: bool = False) -> ConnectionInfo:
    """Read the agreement off a connection whose handshake is complete."""
    certificate = connection.get_peer_certificate()
    sni = connection.get_servername()
    info = ConnectionInfo(
        version=connection.get_protocol_version_name(),
        cipher=connection.get_cipher_name() or "",
        alpn=connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace") or None,
        sni=None if sni is None else sni.decode("ascii", "backslashreplace"),
        peer=None,
        upgraded=upgraded,
    )
    if certificate is not None:
        # To parse it takes longer than all the rest, and few ask: so not before somebody does.
        values = vars(info)
        values["_certificate"] = certificate
        del values["peer"]
    return info
