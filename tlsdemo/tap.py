"""``twistd tlsdemo``: the server's options and service, where twistd finds them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService, Service
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.config_file import ConfigFile
from tlsdemo.cli.daemon_start import DaemonStart
from tlsdemo.cli.hangup import Hangup
from tlsdemo.cli.options import fail
from tlsdemo.cli.server_log import SERVER, LogFormat, server_log
from tlsdemo.cli.server_options import ServerOptions as Options
from tlsdemo.cli.twistd_files import in_foreground
from tlsdemo.cli.worker_task import WorkerTask
from tlsdemo.net.garbage import collect_rarely
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.net.service_manager import ServiceManager
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.proxy.workers import Workers
from tlsdemo.tls import MODES, ServerTLS, UnusableCredentials
from tlsdemo.tls.session_tickets import SessionTickets

if TYPE_CHECKING:
    from tlsdemo.web.page_watches import PageWatches
    from tlsdemo.web.web_pages import WebPages

__all__ = ["Options", "StartFailed", "makeService"]

_log = PrintableLogger(namespace="tlsdemo")


class StartFailed(Exception, SystemExit):
    """The server cannot start; the reason has been logged.

    As an exception, it makes twistd remove its pid file and report the failure of a daemon.  As a
    SystemExit, it ends the process without a traceback.
    """

    code = 1


# A daemon reports at most 98 bytes to the terminal; without a module name, more text fits.
StartFailed.__module__ = "builtins"


class _TwistdService(Service):
    """What a server has to do with twistd: its log, its signals, its errors at start."""

    _reactor: Any

    def __init__(
        self,
        *arguments: Any,
        twistd: Mapping[str, Any] | None,
        log_format: LogFormat = LogFormat.TEXT,
        config_file: ConfigFile | None = None,
        web: WebPages | None = None,
    ) -> None:
        super().__init__(*arguments)
        self._web = web
        self._manager = ServiceManager.from_environment(os.environ)
        self._config = config_file
        self._twistd = twistd
        self._log_format = log_format
        foreground = twistd is not None and in_foreground(twistd)
        self._hangup = Hangup(self._reactor, foreground, self._reload_what_can_be)
        self._start: DaemonStart | None = None

    def setServiceParent(self, parent: Any) -> None:
        """Join twistd's application, and choose its log."""
        if self._twistd is not None and isinstance(parent, Componentized):
            self._start = DaemonStart(SERVER, self._twistd)
            observer = server_log(self._twistd, self._reactor, self._log_format)
            if observer is not None:
                parent.setComponent(ILogObserver, observer)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()
            if self._web is not None:
                self.serve_pages(self._web)
        except CannotStart as problem:
            _log.critical("{problem}", problem=str(problem))
            if self._start is not None:
                self._start.fail(str(problem))
            raise StartFailed(str(problem)) from None

    def startService(self) -> None:
        """Serve, and handle SIGHUP."""
        # First, so that whoever reads in the log that it listens may send the signal.
        self._hangup.install()
        super().startService()
        if self._web is not None:
            self._web.started()
        if self._twistd is not None:
            collect_rarely()
        if self._start is not None:
            self._start.say(self._listening_on())
        self._manager.ready(self._listening_on())

    def stopService(self) -> Deferred[None]:
        """Stop; the previous SIGHUP handler is restored once all connections have ended."""
        self._manager.stopping("waiting for open connections to end")
        stopped: Deferred[None] = super().stopService()
        if (web := self._web) is not None:
            # The pages are closed last: they tell that the server drains.
            stopped.addBoth(lambda _: web.stop())
        return stopped.addBoth(self._restore)

    def _restore(self, result: None) -> None:
        self._hangup.restore()
        return result

    def _listening_on(self) -> str:
        return f"listening on {', '.join(self.listening())}"

    def _reload_what_can_be(self) -> None:
        self._manager.reloading("loading the certificates again")
        self.reload()
        if self._config is not None and self._config.has_changed():
            _log.warn(
                "{file} has changed since the start, and only certificates, keys and CAs are "
                "loaded again; restart the server for its options",
                file=self._config.name,
            )
        self._manager.ready(self._listening_on())

    def reload(self) -> None:
        """Load the certificates again, for new connections."""
        super().reload()  # type: ignore[misc]

    def serve_pages(self, web: WebPages) -> None:
        """Serve ``web`` for this service."""
        raise NotImplementedError

    def listening(self) -> list[str]:
        """Return where clients can connect, as endpoint strings."""
        return super().listening()  # type: ignore[misc, no-any-return]


class _Service(_TwistdService, Server):
    """The server in this process."""

    def reload(self) -> None:
        """Load the certificates again."""
        reload_certificates(self._settings)

    def serve_pages(self, web: WebPages) -> None:
        """Serve the pages of this server."""
        web.listen(self._reactor, self, self._settings)


class _WorkersService(_TwistdService, Workers):
    """The server as several processes, of which each loads its certificates again."""

    def serve_pages(self, web: WebPages) -> None:
        """Serve the pages of all of them."""
        web.listen_for_workers(self._reactor, self, self._settings)


def reload_certificates(settings: ServerSettings) -> None:
    """Load the certificates again for new connections; keep the old ones on errors."""
    try:
        tls = settings.connection.tls
        assert isinstance(tls, ServerTLS)
        tls.reload(datetime.now(timezone.utc))
    except (BadCredentials, UnusableCredentials) as problem:
        _log.warn(
            "certificates not reloaded, the old ones are kept: {problem}",
            problem=str(problem),
        )
    else:
        _log.info("certificates reloaded, for new connections")


def server_settings(
    options: Options, reactor: Any, web: PageWatches | None = None
) -> ServerSettings:
    """Return the settings that ``options`` describe, or end the process with an error message.

    ``web``: what observes the server's connections for its pages.
    """
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
            preparations=[
                *diagnostics.preparations,
                *(web.preparations if web else []),
                SessionTickets(options["session-tickets"]),
            ],
        )
    except UnusableCredentials as problem:
        fail(options.command, problem)
    return options.server_settings(mode, tls, diagnostics, web.watches if web else ())


def makeService(options: Options) -> IService:
    """Make the server that ``options`` describe, or end the process with an error message."""
    from twisted.internet import reactor

    web = options.web_pages(MODES[options["mode"]])
    settings = server_settings(options, reactor, web.watched if web else None)
    count, twistd = options["workers"], options.parent
    if twistd is not None and "reactorName" in twistd:
        # These are twist's options, and it does not start a service in two steps.
        fail(options.command, "only twistd can run this service; use twistd -n")
    around: dict[str, Any] = {
        "twistd": twistd,
        "log_format": options["log-format"],
        "config_file": options.config,
        "web": web,
    }
    if count == 1:
        return _Service(settings, reactor, **around)
    name = "default" if twistd is None else twistd.get("reactor") or "default"

    def command(index: int, listen: Sequence[str]) -> list[str]:
        return WorkerTask(index, count, listen, name).command(options.arguments)

    return _WorkersService(settings, reactor, count, command, **around)
