"""All settings of a server in one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tlsdemo.proxy.accounting import Watch
from tlsdemo.proxy.diagnostics import NO_DIAGNOSTICS, Diagnostics
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.introduction import IntroductionName
from tlsdemo.proxy.proxy_header_factory import FROM_LOOPBACK, ProxyHeaderSettings
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ConnectionSettings


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens, how it secures connections, and what it does with the cleartext.

    Attributes:
        listen: Server endpoint strings.
        connection: How each connection is negotiated, secured and limited.
        handler: The handler of the cleartext.
        backend: Client endpoint string of the plaintext backend; ``None`` for the embedded sink.
        status: Server endpoint string of the status service; ``None`` for none.
        dialect: The dialect of ``connection.negotiation``.
        auto: Whether it also accepts TLS from the first byte.
        guard: Whether it refuses injected plaintext.
        interval: Seconds between two lines of statistics.
        log_first: How many connections are logged at the beginning.
        log_every: Every how many connections one is logged after those; 0 for none.
        remember: How many connections the status service remembers.
        backend_timeout: Seconds for connecting to the backend, and then for its greeting.
        max_connections: Maximum number of open connections; 0 for no limit.
        max_per_address: The same for each client address; ``None`` for the usual limit, which
            does not apply to loopback addresses.
        drain: Seconds that open connections have to end in order when the server stops.
        diagnostics: What is recorded of single connections.
        watches: Others that observe connections, such as metrics.
        proxy_headers: From whom headers of the PROXY protocol are accepted on endpoints that begin
            with ``haproxy:``, and their limits.
        introduction: How the backend is told a client's address; ``None`` for not at all, with a
            warning if the backend may be an open relay then.
        names: What this server calls itself towards the backend.
        numbers: The number of the first connection, and the step to the next one.
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
    max_per_address: int | None = 0
    drain: float = 0.0
    diagnostics: Diagnostics = NO_DIAGNOSTICS
    watches: Sequence[Watch] = ()
    proxy_headers: ProxyHeaderSettings = FROM_LOOPBACK
    introduction: IntroductionName | None = None
    names: Names = DEFAULT_NAMES
    numbers: tuple[int, int] = (1, 1)
