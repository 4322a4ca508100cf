"""``twistd tlsdemo``: what twistd looks for, the options of the server and its service."""

from __future__ import annotations

import signal
from datetime import datetime, timezone

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from tlsdemo.certificates.files import BadCredentials
from tlsdemo.cli.options import fail
from tlsdemo.cli.server_options import ServerOptions as Options
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.proxy.service import CannotStart, Server
from tlsdemo.tls import MODES, ServerTLS, UnusableCredentials

__all__ = ["Options", "StartFailed", "makeService"]

_log = Logger(namespace="tlsdemo")


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
    return _Service(options.server_settings(mode, tls, diagnostics), reactor)
