"""What a server does: all its settings in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tlsdemo.proxy.diagnostics import NO_DIAGNOSTICS, Diagnostics
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ConnectionSettings


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, how it secures, and what it does with the cleartext.

    Attributes:
        listen: Server endpoint strings.
        connection: How each connection is negotiated, secured and limited.
        handler: What gets the cleartext.
        backend: Client endpoint string of the plain backend; ``None`` for the embedded sink.
        status: Server endpoint string of the status service; ``None`` for none.
        dialect: What ``connection.negotiation`` speaks.
        auto: Whether it also takes TLS from the first byte.
        guard: Whether it refuses injected plaintext.
        interval: Seconds between two lines of statistics.
        log_first: How many connections are logged at the beginning.
        log_every: Of those after them, one in how many; 0 for none.
        remember: How many connections the status service can report on.
        backend_timeout: Seconds for connecting to the backend, and then for its greeting.
        max_connections: How many are accepted at once; 0 for any number.
        max_per_address: The same, from one address.
        drain: Seconds that open connections have to end in order when the server stops.
        diagnostics: What is written down of single connections.
    """

    listen: Sequence[str]
    connection: ConnectionSettings
    handler: HandlerName = HandlerName.PROXY
    backend: str | None = None
    status: str | None = None
    dialect: Dialect = DIALECTS["immediate"]
    auto: bool = False
    guard: bool = True
    interval: float = 5.0
    log_first: int = 3
    log_every: int = 100
    remember: int = 1 << 16
    backend_timeout: float = 30.0
    max_connections: int = 0
    max_per_address: int = 0
    drain: float = 0.0
    diagnostics: Diagnostics = NO_DIAGNOSTICS
