"""The configuration of a stack's program: one JSON object, its only argument."""

from __future__ import annotations

import json
import ssl
from dataclasses import asdict, dataclass
from enum import Enum

TIMEOUT = 10.0
"""The default of :attr:`StackConfig.timeout`."""

LINGER = 0.05
"""Seconds that a program waits, after the end of its connection, for events that follow it."""


class Auth(str, Enum):
    """Whether a server requests a client certificate."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Script(str, Enum):
    """What a server does with its connection.

    It echoes, and closes when its client does.  With ``SERVER_FIRST`` it also writes ``hello`` as
    soon as its API permits after the upgrade to TLS was requested; with ``SERVER_CLOSES`` it
    closes the connection once it has echoed the first data.
    """

    ECHO = "echo"
    SERVER_FIRST = "server first"
    SERVER_CLOSES = "server closes"


@dataclass(frozen=True)
class StackConfig:
    """The configuration of one program; paths are those of PEM files.

    Attributes:
        certificate: The certificate that it presents.
        key: The key of ``certificate``.
        authority: The authority that it trusts; needed to verify client certificates.
        client_auth: Whether it requests a client certificate.
        minimum: The lowest version of TLS, "TLSv1.2" or "TLSv1.3".
        maximum: The highest version of TLS.
        alpn: The protocols to select from; empty to disable ALPN.
        script: What it does.
        timeout: Seconds after which it exits, whatever happens.
    """

    certificate: str
    key: str
    authority: str | None = None
    client_auth: Auth = Auth.NONE
    minimum: str = "TLSv1.2"
    maximum: str = "TLSv1.3"
    alpn: tuple[str, ...] = ()
    script: Script = Script.ECHO
    timeout: float = TIMEOUT

    @property
    def tls_versions(self) -> tuple[ssl.TLSVersion, ssl.TLSVersion]:
        """The lowest and the highest version of TLS."""
        lowest, highest = (each.replace(".", "_") for each in (self.minimum, self.maximum))
        return ssl.TLSVersion[lowest], ssl.TLSVersion[highest]

    def as_json(self) -> str:
        """Return the argument of the program."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StackConfig:
        """Return the configuration in ``text``; fields that are missing have their defaults."""
        fields = json.loads(text)
        fields["client_auth"] = Auth(fields.get("client_auth", Auth.NONE))
        fields["script"] = Script(fields.get("script", Script.ECHO))
        fields["alpn"] = tuple(fields.get("alpn", ()))
        return cls(**fields)
