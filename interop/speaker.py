"""A client of tlsdemo that sends one message through TLS: ``python -m interop.speaker``.

It prints ``secure`` with the connection info, then ``answered`` with the first bytes received, or
``insecure`` with the close reason.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from interop.irc import IrcClient
from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import CloseReason
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import (
    MODES,
    ClientTLS,
    ConnectionInfo,
    ConnectionSettings,
    ModeName,
    Timeouts,
    UpgradeProtocol,
)


class Speaker(Protocol):
    """Sends the message, and closes the connection after the first answer."""

    def __init__(self, message: bytes) -> None:
        self._message = message

    def connectionMade(self) -> None:
        """Send the message."""
        assert self.transport is not None
        self.transport.write(self._message)

    def dataReceived(self, data: bytes) -> None:
        """Print the answer."""
        assert self.transport is not None
        print("answered", ascii(data))
        self.transport.loseConnection()


class Listener:
    """Prints what happens to the connection."""

    def __init__(self, message: bytes) -> None:
        self._message = message

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Return the application."""
        print("secure", info)
        return Speaker(self._message)  # type: ignore[return-value, unused-ignore]

    def plain(self) -> IProtocol | None:
        """Never called: every mode that is used has TLS."""
        raise AssertionError("a dialect in the clear")

    def insecure(self, close_reason: CloseReason) -> None:
        """Print the close reason."""
        self.ended(close_reason, "insecure")

    def ended(self, close_reason: CloseReason, how: str = "ended") -> None:
        """Print the close reason, and exit."""
        print(f"{how}: {close_reason.cause.value}: {close_reason.detail}")
        _reactor.stop()  # type: ignore[attr-defined, unused-ignore]


def main() -> None:
    """Run the client."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dialect")
    parser.add_argument("port", type=int)
    parser.add_argument("certificates", help="a directory with ca.pem, client.pem and client.key")
    parser.add_argument("message", help="the message, in hexadecimal digits")
    parser.add_argument("--name", default="localhost")
    parser.add_argument("--mode", default="starttls")
    given = parser.parse_args()
    folder = Path(given.certificates)
    credentials = Credentials(folder / "client.pem", folder / "client.key", folder / "ca.pem")
    tls = ClientTLS.build(credentials, given.name)
    mode = MODES[ModeName(given.mode)]
    clock: Any = _reactor
    settings = ConnectionSettings(
        mode,
        tls,
        IrcClient if given.dialect == "irc" else DIALECTS[given.dialect].client,
        timeouts=Timeouts(plain=20, handshake=20, idle=20, closing=5),
    )

    def build() -> UpgradeProtocol:
        return UpgradeProtocol(settings, Listener(bytes.fromhex(given.message)), clock)

    def failed(failure: Failure) -> None:
        sys.exit(f"cannot connect: {failure.getErrorMessage()}")

    factory = Factory.forProtocol(build)  # type: ignore[arg-type, unused-ignore]
    endpoint = TCP4ClientEndpoint(clock, "127.0.0.1", given.port)
    endpoint.connect(factory).addErrback(failed)
    _reactor.run()  # type: ignore[attr-defined, unused-ignore]


if __name__ == "__main__":
    main()
