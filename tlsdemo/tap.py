"""``twistd tlsdemo``: the server's options and service, where twistd finds them."""

from __future__ import annotations

import gc
import signal
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver
from twisted.python.components import Componentized

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.options import fail
from tlsdemo.cli.server_log import server_log
from tlsdemo.cli.server_options import ServerOptions as Options
from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.tls import MODES, ServerTLS, UnusableCredentials
from tlsdemo.tls.session_tickets import SessionTickets

__all__ = ["Options", "StartFailed", "makeService"]

_log = PrintableLogger(namespace="tlsdemo")

_COLLECT_AFTER = 10_000
"""Objects after which the garbage collector looks at the new ones: some hundred connections."""


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
        self, settings: ServerSettings, reactor: Any, twistd: Mapping[str, Any] | None
    ) -> None:
        super().__init__(settings, reactor)
        self._twistd = twistd

    def setServiceParent(self, parent: Any) -> None:
        """Join twistd's application, and choose its log."""
        if self._twistd is not None and isinstance(parent, Componentized):
            observer = server_log(self._twistd, self._reactor)
            if observer is not None:
                parent.setComponent(ILogObserver, observer)
        super().setServiceParent(parent)

    def privilegedStartService(self) -> None:
        try:
            super().privilegedStartService()
        except CannotStart as problem:
            _log.critical("{problem}", problem=str(problem))
            raise StartFailed(str(problem)) from None

    def startService(self) -> None:
        """Serve, and load the certificates again at SIGHUP."""
        super().startService()
        if self._twistd is not None:
            # The process is the server's alone.  Its connections end without cycles, so to look for
            # some after every few of them is in vain, and what there is now remains.
            gc.collect()
            gc.freeze()
            gc.set_threshold(_COLLECT_AFTER)
        # A signal handler interrupts other code, so load the files in the reactor's next turn.
        self._previous_handler = signal.signal(
            signal.SIGHUP, lambda *_: self._reactor.callFromThread(self.reload)
        )

    def stopService(self) -> Deferred[None]:
        """Stop; the previous SIGHUP handler is restored once all connections have ended."""
        return super().stopService().addBoth(self._restore)

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
                SessionTickets(options["session-tickets"]),
            ],
        )
    except UnusableCredentials as problem:
        fail(options.command, problem, status=1)
    settings = options.server_settings(mode, tls, diagnostics)
    return _Service(settings, reactor, options.parent)
