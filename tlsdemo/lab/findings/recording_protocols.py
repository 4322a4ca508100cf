"""Protocols that record the callbacks Twisted makes, and otherwise do what a reproduction asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


def do_nothing(*_: object) -> None:
    """Do nothing."""


class RecordingProtocol(Protocol):
    """An application that records every callback.

    Attributes:
        callbacks: The name of each callback, in order.
        received: The argument of each ``dataReceived``.
        reason: Why the connection was lost.
        on_connected: Called by ``connectionMade``.
        on_data: Called by ``dataReceived``, with the data.
    """

    transport: Any

    def __init__(self) -> None:
        self.callbacks: list[str] = []
        self.received: list[bytes] = []
        self.reason: BaseException | None = None
        self.on_connected: Callable[[], object] = do_nothing
        self.on_data: Callable[[bytes], object] = do_nothing

    def connectionMade(self) -> None:
        """Record the callback."""
        self.callbacks.append("connectionMade")
        self.on_connected()

    def dataReceived(self, data: bytes) -> None:
        """Record the callback and the data."""
        self.callbacks.append(f"dataReceived({len(data)} B)")
        self.received.append(data)
        self.on_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Record the callback and the reason."""
        error: BaseException = reason.value  # type: ignore[assignment]
        self.reason = error
        self.callbacks.append(f"connectionLost({exception_name(error)})")

    @property
    def lost(self) -> bool:
        """Whether ``connectionLost`` has been called."""
        return self.reason is not None

    @property
    def callbacks_text(self) -> str:
        """The callbacks in one line."""
        return ", ".join(self.callbacks) or "none"


@implementer(IHandshakeListener)
class HandshakeRecorder(RecordingProtocol):
    """A recording application that Twisted also notifies of a completed handshake.

    Attributes:
        on_handshake: Called by ``handshakeCompleted``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_handshake: Callable[[], object] = do_nothing

    def handshakeCompleted(self) -> None:
        """Record the callback."""
        self.callbacks.append("handshakeCompleted")
        self.on_handshake()

    @property
    def handshake_completed(self) -> bool:
        """Whether ``handshakeCompleted`` has been called."""
        return "handshakeCompleted" in self.callbacks


def factory_of(protocol: Protocol) -> Any:
    """Return a factory that builds ``protocol``, for one connection."""
    factory: Any = Factory.forProtocol(lambda: protocol)
    factory.noisy = False
    return factory


def exception_name(error: BaseException) -> str:
    """Return the name by which the code of an application refers to the type of ``error``."""
    return "SSL.Error" if type(error) is SSL.Error else type(error).__name__


def exception_text(error: BaseException) -> str:
    """Return the message of ``error`` in one line; of an SSL.Error, the reasons."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        return ", ".join(record[-1] for record in error.args[0])
    return " ".join(str(error).split())
