"""``twistd tlsdemo``: the options of the server, and the service that they describe."""

from __future__ import annotations

import signal
from datetime import datetime, timezone
from functools import partial
from ipaddress import ip_address
from typing import Any, ClassVar

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python import usage

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.diagnostics_options import DIAGNOSTICS_PARAMETERS, DiagnosticsOptions
from tlsdemo.cli.options import (
    TLSOptions,
    check_client_endpoint,
    check_server_endpoint,
    choice,
    fail,
    named,
    seconds,
    whole,
)
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.net.sockets import MAX_BUFFER
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.starttls.dialect import Dialect
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
    UnusableCredentials,
)

LISTEN = "tcp:8899:interface=127.0.0.1"
STATUS = "tcp:8898:interface=127.0.0.1"

_log = Logger(namespace="tlsdemo")


def dialect_name(text: str) -> tuple[bool, Dialect]:
    """Read the name of a dialect, and whether ``auto:`` stands before it."""
    name = text.removeprefix("auto:")
    return name != text, find_dialect(name)


def is_loopback(where: str) -> bool:
    """Tell whether a server endpoint string listens only where nobody else can connect."""
    if where.startswith("unix:"):
        return True
    # A colon of an address is written \:, and the last "interface=" counts.
    parts = where.replace("\\:", "\0").split(":")
    interface = dict(part.split("=", 1) for part in parts if "=" in part).get("interface", "")
    try:
        return ip_address(interface.replace("\0", ":")).is_loopback
    except ValueError:
        return interface == "localhost"


class Options(DiagnosticsOptions, TLSOptions):
    """The options of ``twistd tlsdemo``."""

    command = "twistd tlsdemo"

    synopsis = "[options]"

    longdesc = (
        "Accepts plain TCP connections, secures each in mid-stream, and passes the cleartext to a "
        "plain backend; without --backend, to a sink of its own, so that this one command is a "
        'whole demonstration. "twistd tlsclient" puts load on it.'
    )

    optParameters: ClassVar[list[list[Any]]] = named([
        ["mode", None, None, "How a connection is secured: starttls "
         "(transport.startTLS), pair (a SecurePair, fed by hand), wrapped (TLS from the first "
         "byte) or clear (not at all). [default: starttls]", choice(ModeName)],
        ["dialect", None, None, "How client and server agree that TLS starts: "
         f"{', '.join(DIALECTS)}; auto:DIALECT takes TLS from the first "
         "byte as well. [default: immediate]", dialect_name],
        ["delivery", None, None, "How cleartext reaches the application: record (an event a TLS "
         "record), coalesced (an event a read of the socket) or readable (on demand). "
         "[default: coalesced in mode pair, otherwise record]", choice(Delivery)],
        ["max-buffer", None, MAX_BUFFER, "Bytes that are kept in each direction of a connection "
         "for a side that does not take them: half of it before the other side has to wait, and "
         "half in one read. TLS adds at most one record (16 KiB); delivery readable doubles it.",
         whole(1024, 1 << 30)],
        ["high-water", None, None, "Bytes that delivery readable keeps for an application "
         "before it pauses the socket; no more than half of --max-buffer. "
         "[default: half of --max-buffer]", whole(1)],
        ["role", None, None, "What is done with the cleartext: proxy, echo or sink. "
         "[default: proxy]", choice(HandlerName)],
        ["backend", None, None, "Client endpoint string of the proxy's plain backend. "
         "[default: an embedded sink]"],
        ["client-auth", None, None, "Whether clients must present a certificate: "
         "required, optional or none. [default: required]", choice(ClientAuth)],
        ["alpn", None, "", "Protocols to agree on by ALPN, separated by commas, the preferred one "
         "first; a client that offers others goes on without."],
        ["max-line", None, None, "Bytes of a line before TLS. [default: the dialect's, mostly "
         f"{MAX_LINE}]", whole(64)],
        ["max-plain", None, MAX_PLAIN, "Bytes before TLS, all together.", whole(64)],
        ["plain-timeout", None, 60.0, "Seconds that the words before TLS may take; 0 for any time, "
         "as with the other timeouts.", seconds(0.0)],
        ["handshake-timeout", None, 30.0, "Seconds that a handshake may take.", seconds(0.0)],
        ["idle-timeout", None, 600.0, "Seconds that a secure connection may be silent.",
         seconds(0.0)],
        ["closing-timeout", None, 30.0, "Seconds to wait for the end of a connection that is being "
         "closed, before it is cut off; also for a backend to take what a client has left behind.",
         seconds(0.0)],
        ["backend-timeout", None, 30.0, "Seconds that connecting to the backend may take, and "
         "then its greeting in dialects that have one.", seconds(0.0)],
        ["drain-timeout", None, 10.0, "Seconds that open connections have to end in order when the "
         "server is stopped.", seconds(0.0)],
        ["max-connections", None, 20_000, "Connections at once; 0 for any number.", whole(0)],
        ["max-per-address", None, 10_000, "Connections at once from one address; 0 for any number.",
         whole(0)],
        ["status", None, STATUS, "Endpoint string where load clients ask what has arrived, or "
         "none."],
        ["interval", None, 5.0, "Seconds between two lines of statistics.", seconds(0.1)],
        ["log-first", None, 3, "Log every event of so many connections at the beginning.",
         whole(0)],
        ["log-every", None, 100, "After those, log every event of each so-manieth connection; "
         "0 for none.", whole(0)],
        *DIAGNOSTICS_PARAMETERS,
        ["remember", None, 1 << 16, "How many connections the status service remembers.",
         whole(1)],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["new", None, "The original's name for --mode=starttls."],
        ["readable", "r", "The original's name for --delivery=readable."],
        [
            "unsafe-injection",
            None,
            "Let plain bytes that come behind the request for TLS pass for "
            "cleartext, as careless servers do: for demonstration, on the loopback interface only.",
        ],
    ]

    def __init__(self) -> None:
        super().__init__()
        self["listen"] = []

    def opt_listen(self, where: str) -> None:
        """Server endpoint string to listen on; can be repeated.

        [default: tcp:8899:interface=127.0.0.1]
        """
        self["listen"].append(where)

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        from twisted.internet import reactor

        super().postOptions()
        self["mode"] = self["mode"] or ModeName.STARTTLS
        self["role"] = self["role"] or HandlerName.PROXY
        self["client-auth"] = self["client-auth"] or ClientAuth.REQUIRED
        if self["new"]:
            self["mode"] = ModeName.STARTTLS
        self["dialect"] = self["dialect"] or (False, DIALECTS["immediate"])
        self._check_dialect()
        self["max-line"] = self["max-line"] or self["dialect"][1].max_line
        if self["readable"]:
            self["delivery"] = Delivery.READABLE
        self._check_buffers()
        self["listen"] = self["listen"] or [LISTEN]
        for where in self["listen"]:
            check_server_endpoint(reactor, "listen", where)
            if self["unsafe-injection"] and not is_loopback(where):
                raise usage.UsageError(
                    f"--unsafe-injection is for the loopback interface only, and --listen is "
                    f"{where!r}; add interface=127.0.0.1"
                )
        if self["status"] == "none":
            self["status"] = None
        else:
            check_server_endpoint(reactor, "status", self["status"])
        if self["backend"] is not None:
            if self["role"] is not HandlerName.PROXY:
                raise usage.UsageError(
                    f"--backend is for --role=proxy, and --role is {self['role'].value}"
                )
            check_client_endpoint(reactor, "backend", self["backend"])

    def alpn(self) -> list[str]:
        """Return the protocols to agree on by ALPN, those that the dialect needs included."""
        names = [name for name in self["alpn"].split(",") if name]
        _, dialect = self["dialect"]
        return [*names, *(name for name in dialect.alpn if name not in names)]

    def connection_settings(self, mode: Mode, tls: ServerTLS) -> ConnectionSettings:
        """Return how each connection is negotiated, secured and limited."""
        auto, dialect = self["dialect"]
        return ConnectionSettings(
            mode,
            tls,
            partial(
                dialect.auto() if auto else dialect.server,
                not self["unsafe-injection"],
                self["max-line"],
                self["max-plain"],
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
                f"--dialect is {dialect.name}, and --mode={self['mode'].value} has no room "
                "for words before TLS; use --mode=starttls or --mode=pair"
            )
        if auto and not dialect.negotiates:
            raise usage.UsageError("--dialect=auto: needs a dialect that has words, such as smtp")
        if dialect.protocol_filter is None and self["backend"] is not None:
            raise usage.UsageError(
                f"--dialect is {dialect.name}, which a proxy cannot go on with to a plain "
                "backend; use --role=echo or --role=sink"
            )


class StartFailed(Exception, SystemExit):
    """The server cannot start, which has been logged.

    To twistd it is an exception: it removes its pid file, and tells whoever waits for the daemon.
    To Python it is an exit: there is no traceback.
    """

    code = 1


# twistd has 98 bytes for the name and the text on their way to the terminal.
StartFailed.__module__ = "builtins"


class _Service(Server):
    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()
        except CannotStart as problem:
            _log.critical("{problem}", problem=str(problem))
            raise StartFailed(str(problem)) from None

    def startService(self) -> None:
        """Serve, and from now on load the certificates anew at SIGHUP."""
        super().startService()
        # A signal interrupts whatever runs; the files are read when it is the reactor's turn.
        self._before_us = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload)
        )

    def stopService(self) -> Deferred[None]:
        """Stop; SIGHUP means again what it meant before once all connections have ended."""
        return super().stopService().addBoth(self._restore)

    def _restore(self, result: None) -> None:
        signal.signal(signal.SIGHUP, self._before_us)
        return result

    def reload(self) -> None:
        """Load the certificates anew for new connections; keep the old ones if they are bad."""
        try:
            tls = self._settings.connection.tls
            assert isinstance(tls, ServerTLS)
            tls.reload(datetime.now(timezone.utc))
        except (BadCredentials, UnusableCredentials) as problem:
            _log.warn(
                "certificates not loaded anew, the old ones are kept: {problem}",
                problem=str(problem),
            )
        else:
            _log.info("certificates loaded anew, for new connections")


def makeService(options: Options) -> IService:
    """Make the server that ``options`` describe; ends the process if that is not possible."""
    from twisted.internet import reactor

    raise_descriptor_limit()
    mode = MODES[options["mode"]]
    diagnostics = options.diagnostics(reactor, mode.name.value)
    try:
        first, *more = options.identities("server")
        tls = ServerTLS.build(
            first,
            options["client-auth"],
            options.alpn(),
            policy=options["policy"],
            more=more,
            preparations=diagnostics.preparations,
        )
    except UnusableCredentials as problem:
        fail(options.command, problem, status=1)
    auto, dialect = options["dialect"]
    settings = ServerSettings(
        listen=options["listen"],
        connection=options.connection_settings(mode, tls),
        handler=options["role"],
        backend=options["backend"],
        status=options["status"],
        dialect=dialect,
        auto=auto,
        guard=not options["unsafe-injection"],
        interval=options["interval"],
        log_first=options["log-first"],
        log_every=options["log-every"],
        remember=options["remember"],
        backend_timeout=options["backend-timeout"],
        max_connections=options["max-connections"],
        max_per_address=options["max-per-address"],
        drain=options["drain-timeout"],
        diagnostics=diagnostics,
    )
    return _Service(settings, reactor)
