"""Applications that write down what Twisted tells them, and do nothing else unless they have to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


def nothing(*_: object) -> None:
    """Do nothing."""


class Recording(Protocol):
    """An application that writes down what it is told, and does nothing else unless it has to."""

    transport: Any

    def __init__(self) -> None:
        self.events: list[str] = []
        self.received: list[bytes] = []
        self.reason: BaseException | None = None
        self.on_made: Callable[[], object] = nothing
        self.on_data: Callable[[bytes], object] = nothing

    def connectionMade(self) -> None:
        """Note it."""
        self.events.append("connectionMade")
        self.on_made()

    def dataReceived(self, data: bytes) -> None:
        """Note the data."""
        self.events.append(f"dataReceived({len(data)} B)")
        self.received.append(data)
        self.on_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note the reason."""
        error: BaseException = reason.value  # type: ignore[assignment]
        self.reason = error
        self.events.append(f"connectionLost({name_of(error)})")

    @property
    def lost(self) -> bool:
        """True once it has been told that the connection is lost."""
        return self.reason is not None

    @property
    def told(self) -> str:
        """What it was told, in order."""
        return ", ".join(self.events) or "nothing"


@implementer(IHandshakeListener)
class Listening(Recording):
    """One that is also told when the handshake is complete."""

    def __init__(self) -> None:
        super().__init__()
        self.on_handshake: Callable[[], object] = nothing

    def handshakeCompleted(self) -> None:
        """Note it."""
        self.events.append("handshakeCompleted")
        self.on_handshake()

    @property
    def complete(self) -> bool:
        """True once it has been told of the handshake."""
        return "handshakeCompleted" in self.events


def factory_of(protocol: Protocol) -> Any:
    """Return a factory for one connection."""
    factory: Any = Factory.forProtocol(lambda: protocol)
    factory.noisy = False
    return factory


def name_of(error: BaseException) -> str:
    """Return what ``error`` is called in the code of an application."""
    return "SSL.Error" if type(error) is SSL.Error else type(error).__name__


def words_of(error: BaseException) -> str:
    """Return what ``error`` says, in one line."""
    if isinstance(error, SSL.Error) and error.args and isinstance(error.args[0], list):
        return ", ".join(record[-1] for record in error.args[0])
    return " ".join(str(error).split())
