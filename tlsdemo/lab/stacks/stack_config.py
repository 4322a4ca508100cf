"""What a peer program is told: one JSON object, its only argument."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum

TIMEOUT = 10.0
"""Seconds that a peer waits for its connection to begin and to end, unless it is told otherwise."""


class Auth(str, Enum):
    """What a server asks of its client."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


class Scenario(str, Enum):
    """What a peer does with its connection.

    It echoes, and ends when its client does; with ``SERVER_FIRST`` it writes ``hello`` as soon as
    its API lets it after TLS was asked for, and with ``SERVER_CLOSES`` it ends in order after it
    has echoed the first data.
    """

    ECHO = "echo"
    SERVER_FIRST = "server first"
    SERVER_CLOSES = "server closes"


@dataclass(frozen=True)
class StackConfig:
    """What one peer does; the paths are of PEM files.

    Attributes:
        certificate: To show.
        key: Of ``certificate``.
        authority: Whom to trust; needed to ask for certificates.
        client_auth: What a server asks of its client.
        minimum: The oldest version of TLS, "TLSv1.2" or "TLSv1.3".
        maximum: The newest.
        alpn: The protocols to offer or to choose from; none says nothing of ALPN.
        scenario: What to do.
        timeout: Seconds after which the peer gives up, whatever happens.
    """

    certificate: str
    key: str
    authority: str | None = None
    client_auth: Auth = Auth.NONE
    minimum: str = "TLSv1.2"
    maximum: str = "TLSv1.3"
    alpn: tuple[str, ...] = ()
    scenario: Scenario = Scenario.ECHO
    timeout: float = TIMEOUT

    def as_json(self) -> str:
        """Return the argument for the peer's program."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> StackConfig:
        """Read what :meth:`as_json` wrote; what is left out is as it is by default."""
        fields = json.loads(text)
        fields["client_auth"] = Auth(fields.get("client_auth", Auth.NONE))
        fields["scenario"] = Scenario(fields.get("scenario", Scenario.ECHO))
        fields["alpn"] = tuple(fields.get("alpn", ()))
        return cls(**fields)
