"""``twistd tlsdemo``: the server's options and service, where twistd finds them."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred, succeed
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.options import fail
from tlsdemo.cli.server_log import LogFormat, server_log
from tlsdemo.cli.server_options import ServerOptions as Options
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.tls import MODES, ServerTLS, UnusableCredentials

if TYPE_CHECKING:
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


class _Service(Server):
    def __init__(
        self,
        settings: ServerSettings,
        reactor: Any,
        twistd: Mapping[str, Any] | None,
        web: WebPages | None = None,
        log_format: LogFormat = LogFormat.TEXT,
    ) -> None:
        super().__init__(settings, reactor)
        self._twistd = twistd
        self._web = web
        self._log_format = log_format

    def setServiceParent(self, parent: Any) -> None:
        """Join twistd's application, and choose its log."""
        if self._twistd is not None and isinstance(parent, Componentized):
            observer = server_log(self._twistd, self._reactor, self._log_format)
            if observer is not None:
                parent.setComponent(ILogObserver, observer)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()
            if self._web is not None:
                self._web.listen(self._reactor, self, self._settings)
        except CannotStart as problem:
            _log.critical("{problem}", problem=str(problem))
            raise StartFailed(str(problem)) from None

    def startService(self) -> None:
        """Serve, and load the certificates again at SIGHUP."""
        super().startService()
        if self._web is not None:
            self._web.started()
        # A signal handler interrupts other code, so load the files in the reactor's next turn.
        self._previous_handler = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload)
        )

    def stopService(self) -> Deferred[None]:
        """Stop; the previous SIGHUP handler is restored once all connections have ended."""
        return super().stopService().addBoth(self._stopped)

    def _stopped(self, result: None) -> Any:
        # Only now: the pages tell that the server drains.
        closing = succeed(None) if self._web is None else self._web.stop()
        return closing.addBoth(lambda _: self._restore(result))

    def _restore(self, result: None) -> None:
        signal.signal(signal.SIGHUP, self._previous_handler)
        return result

    def reload(self) -> None:
        """Load the certificates again for new connections; keep the old ones on errors."""
        try:
            tls = self._settings.connection.tls
            assert isinstance(tls, ServerTLS)
            tls.reload(datetime.now(timezone.utc))
        except (BadCredentials, UnusableCredentials) as problem:
            _log.warn(
                "certificates not reloaded, the old ones are kept: {problem}",
                problem=str(problem),
            )
        else:
            _log.info("certificates reloaded, for new connections")


def makeService(options: Options) -> IService:
    """Make the server that ``options`` describe, or end the process with an error message."""
    from twisted.internet import reactor

    mode = MODES[options["mode"]]
    diagnostics = options.diagnostics(reactor, mode.name.value)
    web = options.web_pages(mode)
    watching = [] if web is None else web.preparations
    try:
        first, *more = options.identities("server")
        tls = ServerTLS.build(
            first,
            options["client-auth"],
            options.alpn(),
            policy=options["policy"],
            more=more,
            preparations=[*diagnostics.preparations, *watching],
        )
    except UnusableCredentials as problem:
        fail(options.command, problem, status=1)
    watches = () if web is None else web.watches
    settings = options.server_settings(mode, tls, diagnostics, watches)
    return _Service(settings, reactor, options.parent, web, options["log-format"])
