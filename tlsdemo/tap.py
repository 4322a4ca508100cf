"""``twistd tlsdemo``: the options of the server, and the service that they describe."""

from __future__ import annotations

from typing import Any, ClassVar

from twisted.application.service import IService
from twisted.logger import Logger
from twisted.python import usage

from tlsdemo.command.options import (
    CredentialOptions,
    check_client_endpoint,
    check_server_endpoint,
    choice,
    fail,
    named,
    seconds,
    whole,
)
from tlsdemo.limits import raise_descriptor_limit
from tlsdemo.secure import MODES, ClientAuth, Delivery, ModeName, ServerTLS, Unusable
from tlsdemo.server.roles import RoleName
from tlsdemo.server.service import CannotStart, Server, ServerConfig

LISTEN = "tcp:8899:interface=127.0.0.1"
STATUS = "tcp:8898:interface=127.0.0.1"

_log = Logger(namespace="tlsdemo")


class Options(CredentialOptions):
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
        ["delivery", None, None, "How cleartext reaches the application: record (an event a TLS "
         "record), coalesced (an event a read of the socket) or readable (on demand). "
         "[default: coalesced in mode pair, otherwise record]", choice(Delivery)],
        ["high-water", None, 1 << 16, "Bytes that delivery readable keeps for an application "
         "before it pauses the socket.", whole(1)],
        ["role", None, None, "What is done with the cleartext: proxy, echo or sink. "
         "[default: proxy]", choice(RoleName)],
        ["backend", None, None, "Client endpoint string of the proxy's plain backend. "
         "[default: an embedded sink]"],
        ["client-auth", None, None, "Whether clients must present a certificate: "
         "required, optional or none. [default: required]", choice(ClientAuth)],
        ["status", None, STATUS, "Endpoint string where load clients ask what has arrived, or "
         "none."],
        ["interval", None, 5.0, "Seconds between two lines of statistics.", seconds(0.1)],
        ["log-first", None, 3, "Log every event of so many connections at the beginning.",
         whole(0)],
        ["log-every", None, 100, "After those, log every event of each so-manieth connection; "
         "0 for none.", whole(0)],
        ["remember", None, 1 << 16, "How many connections the status service remembers.",
         whole(1)],
    ])  # fmt: skip

    optFlags: ClassVar[list[list[str | None]]] = [
        ["new", None, "The original's name for --mode=starttls."],
        ["readable", "r", "The original's name for --delivery=readable."],
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

        self["mode"] = self["mode"] or ModeName.STARTTLS
        self["role"] = self["role"] or RoleName.PROXY
        self["client-auth"] = self["client-auth"] or ClientAuth.REQUIRED
        if self["new"]:
            self["mode"] = ModeName.STARTTLS
        if self["readable"]:
            self["delivery"] = Delivery.READABLE
        self["listen"] = self["listen"] or [LISTEN]
        for where in self["listen"]:
            check_server_endpoint(reactor, "listen", where)
        if self["status"] == "none":
            self["status"] = None
        else:
            check_server_endpoint(reactor, "status", self["status"])
        if self["backend"] is not None:
            if self["role"] is not RoleName.PROXY:
                raise usage.UsageError(
                    f"--backend is for --role=proxy, and --role is {self['role'].value}"
                )
            check_client_endpoint(reactor, "backend", self["backend"])


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


def makeService(options: Options) -> IService:
    """Make the server that ``options`` describe; ends the process if that is not possible."""
    from twisted.internet import reactor

    raise_descriptor_limit()
    mode = MODES[options["mode"]]
    try:
        tls = ServerTLS.build(options.credentials("server"), options["client-auth"])
    except Unusable as problem:
        fail(options.command, problem, status=1)
    config = ServerConfig(
        listen=options["listen"],
        mode=mode,
        manner=mode.manner(options["delivery"], None, options["high-water"]),
        tls=tls,
        role=options["role"],
        backend=options["backend"],
        status=options["status"],
        interval=options["interval"],
        log_first=options["log-first"],
        log_every=options["log-every"],
        remember=options["remember"],
    )
    return _Service(config, reactor)
