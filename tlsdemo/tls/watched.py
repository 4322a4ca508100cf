"""A session that tells more of itself: what is asked and granted, called and returned, and lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure

from tlsdemo.starttls.negotiation import Command, State, Switch
from tlsdemo.tls import ConnectionInfo, ModeName, Stream, Watch
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol
from tlsdemo.trace.model import End


class WatchedSession(UpgradeProtocol):
    """A session as any other, whose events a :class:`~tlsdemo.tls.Watch` is told in full.

    The watch must be the observer of the session's timeline as well, and that of its ``tls``.
    """

    watch: Watch
    _asked = False

    def watched_by(self, watch: Watch) -> WatchedSession:
        """Have ``watch`` be told, before the connection is made; return the session."""
        self.watch = watch
        return self

    @property
    def _is_client(self) -> bool:
        return self.watch.end is End.CLIENT

    def dataReceived(self, data: bytes) -> None:
        """Take what the transport brings; what comes before TLS is seen here only."""
        if self._wire is None:
            self.watch.passed(self.watch.end.other, data)
        super().dataReceived(data)

    def _obey(self, commands: list[Command]) -> None:
        words = any(command for command in commands if not isinstance(command, Switch))
        if not self._is_client and words and isinstance(commands[-1], Switch):
            self._upgrade_requested()
        super()._obey(commands)

    def _say(self, data: bytes) -> None:
        super()._say(data)
        self.watch.passed(self.watch.end, data)
        if self._is_client and self._negotiation.state is State.REQUESTED:
            self._upgrade_requested()

    def _upgrade_requested(self) -> None:
        self._asked = True
        self.watch.happened("upgrade requested")

    def _switch(self, switch: Switch) -> None:
        if self._asked:
            self.watch.happened("upgrade granted")
        # The dialogue has had it already, and the TLS layer will be given it again.
        self.watch.already_passed(self.watch.end.other, len(switch.leftover))
        super()._switch(switch)

    def _start(self) -> tuple[IProtocol, Stream]:
        wire, stream = super()._start()
        self.watch.happened(self._mode.returned)
        first(stream, "write", lambda: self.watch.happened("first bytes out"))
        if self._mode.name is ModeName.PAIR:
            # The end of the TLS layer and the end of the socket are two things here.
            before(stream, "connectionLost", self._layer_lost)
        return wire, stream

    def _layer_lost(self, reason: Failure = connectionDone) -> None:
        self.watch.lost = True
        self.watch.happened("connectionLost", **said(reason))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Hand on the end."""
        if self.stream is None or self._mode.name is not ModeName.PAIR:
            self._layer_lost(reason)
        else:
            self.watch.happened("socket lost", **said(reason))
        super().connectionLost(reason)

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Ask for the application, and see when it is handed the first bytes."""
        application = super().secure(info)
        if application is not None:
            for name in ("dataReceived", "readable"):
                if hasattr(application, name):
                    first(application, name, lambda: self.watch.happened("first bytes in"))
        return application


def said(reason: Failure) -> dict[str, str]:
    """Return the type and the text of a reason."""
    return {"reason": type(reason.value).__name__, "text": reason.getErrorMessage()}


def before(target: Any, name: str, tell: Callable[..., object]) -> None:
    """Have ``tell`` called before each call of this one object's method, with its arguments."""
    method = getattr(target, name)

    def called(*arguments: Any) -> Any:
        tell(*arguments)
        return method(*arguments)

    setattr(target, name, called)


def first(target: Any, name: str, tell: Callable[[], object]) -> None:
    """Have ``tell`` called before the first call of this one object's method."""
    method = getattr(target, name)

    def called(*arguments: Any) -> Any:
        delattr(target, name)
        tell()
        return method(*arguments)

    setattr(target, name, called)
