"""What is pinned: a factory, its role, and how its peer speaks to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tlsdemo.lab.scenarios import INJECTED
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.registry import find_dialect
from tlsdemo.trace.model import End

VERSIONS = ("1.2", "1.3")


@dataclass(frozen=True)
class Subject:
    """A protocol to be pinned.

    Attributes:
        factory: A Twisted factory, or a function without arguments that returns one.  In memory, a
            factory that wraps another in TLS has to be made by a function, so that its clock is the
            one in memory.
        end: Whether it is a server or a client.
        dialect: How both agree to start TLS; ``immediate``: TLS from the first byte.
        tls: The version of TLS that the peer speaks, ``"1.2"`` or ``"1.3"``.
        question: What a peer that is a client says through TLS.
        answer: What a peer that is a server answers.
        farewell: What the peer says after that, if the pinned end is the one that has to close.
        injected: What an attacker injects behind the request or the go-ahead.
        alpn: The ALPN protocols of the peer, where the scenario has none of its own.
        authority: Who issued the pinned server's certificate, where the peer has to verify it; by
            default that of `tlsdemo.testing.temporary_certificates`.
        hide: Regular expressions; what they match is not pinned, such as dates and host names.
    """

    factory: Any
    end: End = End.SERVER
    dialect: str = "immediate"
    tls: str = "1.3"
    question: bytes = b"question\r\n"
    answer: bytes = b"answer\r\n"
    farewell: bytes = b""
    injected: bytes = INJECTED
    alpn: Sequence[str] = ()
    authority: Path | None = None
    hide: Sequence[bytes] = ()

    def __post_init__(self) -> None:
        if self.tls not in VERSIONS:
            raise ValueError(f"tls is {self.tls!r}, none of {', '.join(VERSIONS)}")
        try:
            find_dialect(self.dialect)
        except ValueError as problem:
            raise ValueError(f"dialect is {self.dialect!r}, {problem}") from None

    @property
    def peer(self) -> End:
        """The role of the peer."""
        return self.end.other

    @property
    def negotiates(self) -> bool:
        """Whether there is plaintext before TLS."""
        return self._dialect.negotiates

    def negotiation(self) -> Negotiation:
        """Return the peer's side of the dialect."""
        peer: Callable[[], Negotiation] = (
            self._dialect.client if self.peer is End.CLIENT else self._dialect.server
        )
        return peer()

    def make_factory(self) -> Any:
        """Return the factory: the one given, or a new one."""
        return self.factory if hasattr(self.factory, "buildProtocol") else self.factory()

    def shown(self, data: bytes) -> bytes:
        """Return ``data`` with what must not be pinned replaced by three dots."""
        for pattern in self.hide:
            data = re.sub(pattern, b"...", data)
        return data

    @property
    def _dialect(self) -> Dialect:
        return find_dialect(self.dialect)
