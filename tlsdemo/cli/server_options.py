"""The options of ``twistd tlsdemo``, and the settings that they describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.alpn_names import alpn_names
from tlsdemo.cli.config_options import ConfigOptions
from tlsdemo.cli.connection_limit import lowered
from tlsdemo.cli.contradictions import check
from tlsdemo.cli.diagnostics_options import DIAGNOSTICS_PARAMETERS, DiagnosticsOptions
from tlsdemo.cli.endpoint_strings import check_client_endpoint, check_server_endpoint
from tlsdemo.cli.loopback import is_loopback
from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import (
    choice,
    named,
    seconds,
    whole,
)
from tlsdemo.cli.proxy_protocol_options import PROXY_PROTOCOL_PARAMETERS, ProxyProtocolOptions
from tlsdemo.cli.server_contradictions import SERVER_CONTRADICTIONS
from tlsdemo.cli.session_ticket_options import SESSION_TICKET_PARAMETERS
from tlsdemo.cli.suggestions import knowing, one_of
from tlsdemo.cli.tls_options import TLSOptions
from tlsdemo.cli.twistd_files import check_twistd_files
from tlsdemo.cli.web_options import WEB_PARAMETERS, WebOptions
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.runtime_folder import STATUS
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.proxy.accounting import Watch
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.limiter import USUAL_LIMIT, USUAL_LIMIT_PER_HOST
from tlsdemo.proxy.listening import PROXY_PREFIX
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.starttls.dialect import IDLE_TIMEOUT, Dialect
from tlsdemo.starttls.names import DEFAULT_NAMES, Names, host_name
from tlsdemo.starttls.negotiation import MAX_LINE, MAX_PLAIN
from tlsdemo.starttls.registry import DIALECTS, find_dialect
from tlsdemo.tls import (
    MODES,
    ClientAuth,
    ConnectionSettings,
    Delivery,
    Mode,
    ModeName,
    ServerTLS,
    Timeouts,
)

MAX_WORKERS = 256
LISTEN = "tcp:8899:interface=127.0.0.1"
_log = PrintableLogger(namespace="tlsdemo")


@knowing(DIALECTS)
def dialect_name(text: str) -> tuple[bool, Dialect]:
    """Read the name of a dialect, and whether ``auto:`` stands before it."""
    name = text.removeprefix("auto:")
    return name != text, find_dialect(one_of(DIALECTS)(name))


class ServerOptions(
    ProxyProtocolOptions, DiagnosticsOptions, WebOptions, ConfigOptions, TLSOptions
):
    """The options of ``twistd tlsdemo``."""

    command = "twistd tlsdemo"

    synopsis = "[options]"

    longdesc = (
        "Accepts plain TCP connections, upgrades each to TLS, and forwards the cleartext to a "
        "plaintext backend. Without --backend it forwards to a sink of its own, so that this "
        'command alone is a complete demonstration. "twistd tlsclient" puts load on it.'
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["mode", None, None, "How connections are secured: starttls (transport.startTLS), "
         "pair (a SecurePair), wrapped (TLS from the first byte) or clear (not at all). "
         "[default: starttls]", choice(ModeName)],
        ["dialect", None, None, "Protocol in which client and server agree to start TLS: "
         f"{', '.join(DIALECTS)}; auto:DIALECT also accepts TLS from the "
         "first byte. [default: immediate]", dialect_name],
        ["delivery", None, None, "How cleartext is delivered to the application: record (an event "
         "for each TLS record), coalesced (an event for each read of the socket) or readable (when "
         "the application asks for it). [default: the mode's: coalesced in pair, otherwise record]",
         choice(Delivery)],
        ["max-buffer", None, MAX_BUFFER, "Bytes to buffer in each direction of a connection. The "
         "sender is paused at half of them; the other half is for one more read. TLS adds up to "
         "one record (16 KiB); delivery readable doubles the total.",
         whole(1024, 1 << 30)],
        ["high-water", None, None, "Bytes that delivery readable buffers for the application "
         "before it pauses the socket; at most half of --max-buffer. "
         "[default: half of --max-buffer]", whole(1)],
        ["role", None, None, "What the server does with the cleartext: proxy, echo or sink. "
         "[default: proxy]", choice(HandlerName)],
        ["backend", None, None, "Client endpoint string of the proxy's plaintext backend. "
         "[default: an embedded sink]"],
        ["client-auth", None, None, "Whether clients must present a certificate: "
         "required, optional or none. [default: required]", choice(ClientAuth)],
        *SESSION_TICKET_PARAMETERS,
        ["alpn", None, None, "ALPN protocols to accept, separated by commas, the preferred one "
         "first. "
         "A client that offers only others is accepted without one. [default: none]", alpn_names],
        ["hostname", None, DEFAULT_NAMES.own, "The server's own name, in its greeting before TLS.",
         host_name],
        ["max-line", None, None, "Maximum bytes in a line before TLS. [default: the dialect's, "
         f"mostly {MAX_LINE}]", whole(64)],
        ["max-plain", None, MAX_PLAIN, "Maximum bytes before TLS in total.", whole(64)],
        ["plain-timeout", None, 60.0, "Seconds for the negotiation before TLS. For this and the "
         "other timeouts, 0 means no limit.", seconds(0.0)],
        ["handshake-timeout", None, 30.0, "Seconds for the TLS handshake.", seconds(0.0)],
        ["idle-timeout", None, None, "Seconds that a secured connection may be idle. [default: the "
         f"dialect's, mostly {IDLE_TIMEOUT:g}]", seconds(0.0)],
        ["closing-timeout", None, 30.0, "Seconds to wait for the end of a connection that is being "
         "closed, before it is aborted; also for the backend to receive the rest of a client's "
         "data, and for a client to send more to a backend that has finished.",
         seconds(0.0)],
        ["backend-timeout", None, 30.0, "Seconds for connecting to the backend, and for its "
         "greeting "
         "in dialects that have one.", seconds(0.0)],
        ["drain-timeout", None, 10.0, "Seconds for open connections to end in order when the "
         "server "
         "is stopped.", seconds(0.0)],
        ["max-connections", None, None, "Maximum number of open connections; 0 for as many as "
         f"there are file descriptors for. [default: the same, up to {USUAL_LIMIT}]",
         whole(0)],
        ["max-per-address", None, None, "Maximum number of open connections from one address, or "
         "from one /64 network of IPv6; 0 "
         f"for no limit. [default: {USUAL_LIMIT_PER_HOST}, and no limit for loopback addresses]",
         whole(0)],
        *PROXY_PROTOCOL_PARAMETERS,
        ["workers", None, 1, "Number of processes that serve, all on the same ports; they share "
         "--max-connections, and --max-per-address if it is given.", whole(1, MAX_WORKERS)],
        ["status", None, None, "Server endpoint string of the status service, which load clients "
         "ask for the received bytes, on a loopback interface or a UNIX socket; or none. "
         "[default: a UNIX socket that only this user can use]"],
        ["interval", None, 5.0, "Seconds between log lines with statistics; there is none if "
         "nothing has changed.", seconds(0.1)],
        ["log-first", None, 3, "Log the events of this many connections after the start.",
         whole(0)],
        ["log-every", None, 100, "After those, log the events of one connection in this many; 0 "
         "for "
         "none.", whole(0)],
        *DIAGNOSTICS_PARAMETERS,
        *WEB_PARAMETERS,
        ["remember", None, 1 << 16, "Number of connections that the status service remembers.",
         whole(1)],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["new", None, "The same as --mode=starttls."],
        ["readable", "r", "The same as --delivery=readable."],
        [
            "unsafe-injection",
            None,
            "Accept plaintext that follows the request for TLS as cleartext, as vulnerable "
            "servers do. For demonstrations, on the loopback interface only.",
        ],
    ]

    groups: ClassVar[Mapping[Group, str]] = {
        Group.LISTENING: "listen backend role workers",
        Group.TLS: "mode new delivery readable client-auth session-tickets alpn",
        Group.BEFORE_TLS: "dialect hostname max-line max-plain plain-timeout",
        Group.LIMITS: "max-connections max-per-address max-buffer high-water handshake-timeout "
        "idle-timeout closing-timeout backend-timeout drain-timeout",
        Group.LOGGING: "log-first log-every interval status remember",
        Group.DEMONSTRATION: "unsafe-injection",
    }

    essential = "listen backend mode cert key ca client-auth dialect max-connections log-events"

    shorthands: ClassVar[Mapping[str, str]] = {"new": "mode", "readable": "delivery"}

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []
        self.arguments: list[str] = []
        # The parent of a worker has the endpoints, and may be the only one that can check them: the
        # sockets of systemd are its own, and it may have read a key as root.
        self.is_worker = False

    def parseOptions(self, options: Sequence[str] | None = None) -> None:
        """Parse the options, and keep them as ``arguments`` for worker processes."""
        super().parseOptions(options)
        # Not as a file, which may have changed when a worker is started again.
        self.arguments = self.arguments_without("config")

    def opt_listen(self, where: str) -> None:
        """Server endpoint string to listen on. Can be repeated.

        With haproxy: before it, connections must begin with a header of the PROXY protocol.
        [default: tcp:8899:interface=127.0.0.1]
        """
        self["listen"].append(where)

    def postOptions(self) -> None:
        """Validate the options together."""
        from twisted.internet import reactor

        super().postOptions()
        self["mode"] = self["mode"] or ModeName.STARTTLS
        self["role"] = self["role"] or HandlerName.PROXY
        self["client-auth"] = self["client-auth"] or ClientAuth.REQUIRED
        if self["new"]:
            self["mode"] = ModeName.STARTTLS
        self["dialect"] = self["dialect"] or (False, DIALECTS["immediate"])
        self._check_dialect()
        if self["idle-timeout"] is None:
            self["idle-timeout"] = self["dialect"][1].idle_timeout
        if self["readable"]:
            self["delivery"] = Delivery.READABLE
        self._check_buffers()
        self["listen"] = self["listen"] or [LISTEN]
        for where in self["listen"]:
            if not self.is_worker:
                check_server_endpoint(reactor, "listen", where, PROXY_PREFIX)
            if self["unsafe-injection"] and not is_loopback(where):
                raise usage.UsageError(
                    f"--unsafe-injection is for the loopback interface only, and --listen is "
                    f"{where!r}; add interface=127.0.0.1"
                )
        if self["status"] is None:
            self["status"] = STATUS
        elif self["status"] == "none":
            self["status"] = None
        else:
            if self["status"].startswith(PROXY_PREFIX):
                raise usage.UsageError(
                    f"--status is {self['status']!r}, and it takes no header of the PROXY "
                    f"protocol; leave {PROXY_PREFIX} away"
                )
            check_server_endpoint(reactor, "status", self["status"])
            if not is_loopback(self["status"]):
                raise usage.UsageError(
                    f"--status is {self['status']!r}, and the status service is for this machine "
                    "only; add interface=127.0.0.1, and reach it from elsewhere with ssh -L"
                )
        if self["backend"] is not None:
            if self["role"] is not HandlerName.PROXY:
                raise usage.UsageError(
                    f"--backend is for --role=proxy, and --role is {self['role'].value}"
                )
            check_client_endpoint(reactor, "backend", self["backend"])
        self.check_proxy_protocol(self["dialect"][1])
        if not self.is_worker:
            self.check_web(reactor)
        self.check_log()
        check(self, SERVER_CONTRADICTIONS)
        self["max-line"] = self["max-line"] or self["dialect"][1].max_line
        check_twistd_files(self.command, self.parent)

    def alpn(self) -> list[str]:
        """Return the protocols to agree on by ALPN, those that the dialect needs included."""
        names = self["alpn"] or []
        _, dialect = self["dialect"]
        return [*names, *(name for name in dialect.alpn if name not in names)]

    def server_settings(
        self, mode: Mode, tls: ServerTLS, diagnostics: Diagnostics, watches: Sequence[Watch] = ()
    ) -> ServerSettings:
        """Return all settings of the server; ``watches`` observe its connections."""
        auto, dialect = self["dialect"]
        each = 1
        if self["role"] is HandlerName.PROXY:
            each = 3 if self["backend"] is None else 2
        self["max-connections"] = lowered(self["max-connections"], each, self["workers"])
        return ServerSettings(
            listen=self["listen"],
            connection=self._connection_settings(mode, tls),
            handler=self["role"],
            backend=self["backend"],
            status=self["status"],
            dialect=dialect,
            auto=auto,
            guard=not self["unsafe-injection"],
            interval=self["interval"],
            log_first=self["log-first"],
            log_every=self["log-every"],
            remember=self["remember"],
            backend_timeout=self["backend-timeout"],
            max_connections=self["max-connections"],
            max_per_address=self["max-per-address"],
            drain=self["drain-timeout"],
            diagnostics=diagnostics,
            watches=watches,
            proxy_headers=self.proxy_headers(),
            introduction=self["backend-proxy"],
            names=Names(self["hostname"]),
        )

    def _connection_settings(self, mode: Mode, tls: ServerTLS) -> ConnectionSettings:
        auto, dialect = self["dialect"]
        return ConnectionSettings(
            mode,
            tls,
            partial(
                dialect.auto() if auto else dialect.server,
                not self["unsafe-injection"],
                self["max-line"],
                self["max-plain"],
                Names(self["hostname"]),
            ),
            mode.transport_options(self["delivery"], None, self["high-water"]),
            Timeouts(
                plain=self["plain-timeout"],
                handshake=self["handshake-timeout"],
                idle=self["idle-timeout"],
                closing=self["closing-timeout"],
            ),
            self["max-buffer"],
        )

    def _check_buffers(self) -> None:
        half = self["max-buffer"] // 2
        self["high-water"] = self["high-water"] or half
        if self["high-water"] > half:
            raise usage.UsageError(
                f"--high-water is {self['high-water']:,}, more than half of --max-buffer, which "
                f"is {self['max-buffer']:,}"
            )

    def _check_dialect(self) -> None:
        auto, dialect = self["dialect"]
        if dialect.server_negotiates and not MODES[self["mode"]].allows_negotiation:
            raise usage.UsageError(
                f"--dialect is {dialect.name}, and --mode={self['mode'].value} does "
                "not negotiate; use --mode=starttls or --mode=pair"
            )
        if auto and not dialect.negotiates:
            raise usage.UsageError("--dialect=auto: needs a dialect that negotiates, such as smtp")
        if dialect.protocol_filter is None and self["backend"] is not None:
            raise usage.UsageError(
                f"--dialect is {dialect.name}, which a proxy cannot go on with to a plain "
                "backend; use --role=echo or --role=sink"
            )
