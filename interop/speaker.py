"""A client of ours that says one thing through TLS: ``python -m interop.speaker``.

It prints ``secure`` with what was agreed on, then ``answered`` with the first bytes that came, or
``insecure`` with the cause.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from twisted.internet import reactor as _reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import CloseReason
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import MODES, ClientTLS, ConnectionInfo, ModeName
from tlsdemo.tls.timeouts import Timeouts
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol
from tlsdemo.trace.timeline import Timeline


class Speaker(Protocol):
    """Says it, and closes once it has been answered."""

    def __init__(self, says: bytes) -> None:
        self._says = says

    def connectionMade(self) -> None:
        """Say it."""
        assert self.transport is not None
        self.transport.write(self._says)

    def dataReceived(self, data: bytes) -> None:
        """Print the answer."""
        assert self.transport is not None
        print("answered", ascii(data))
        self.transport.loseConnection()


class Listener:
    """Prints how the securing goes."""

    def __init__(self, says: bytes) -> None:
        self._says = says

    def handshake_completed(self) -> None:
        """Wait for more."""

    def secure(self, info: ConnectionInfo) -> IProtocol | None:
        """Go on."""
        print("secure", info)
        return Speaker(self._says)  # type: ignore[return-value, unused-ignore]

    def plain(self) -> IProtocol | None:
        """Never happens: every mode here has TLS."""
        raise AssertionError("a dialect in the clear")

    def insecure(self, close_reason: CloseReason) -> None:
        """Tell the cause."""
        self.ended(close_reason, "insecure")

    def ended(self, close_reason: CloseReason, how: str = "ended") -> None:
        """Tell the cause, and end."""
        print(f"{how}: {close_reason.cause.value}: {close_reason.detail}")
        _reactor.stop()  # type: ignore[attr-defined, unused-ignore]


def main() -> None:
    """Say it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dialect")
    parser.add_argument("port", type=int)
    parser.add_argument("certificates", help="a folder with ca.pem, client.pem and client.key")
    parser.add_argument("says", help="what to say, in hexadecimal digits")
    parser.add_argument("--name", default="localhost")
    parser.add_argument("--mode", default="starttls")
    given = parser.parse_args()
    folder = Path(given.certificates)
    credentials = Credentials(folder / "client.pem", folder / "client.key", folder / "ca.pem")
    tls = ClientTLS.build(credentials, given.name)
    mode = MODES[ModeName(given.mode)]
    clock: object = _reactor

    def build() -> UpgradeProtocol:
        return UpgradeProtocol(
            mode,
            tls,
            Listener(bytes.fromhex(given.says)),
            mode.transport_options(None, None, 1 << 16),
            Timeline(clock.seconds),  # type: ignore[attr-defined]
            clock,  # type: ignore[arg-type]
            DIALECTS[given.dialect].client(),
            Timeouts(plain=20, handshake=20, idle=20, closing=5),
        )

    def failed(failure: Failure) -> None:
        sys.exit(f"cannot connect: {failure.getErrorMessage()}")

    factory = Factory.forProtocol(build)  # type: ignore[arg-type, unused-ignore]
    endpoint = TCP4ClientEndpoint(clock, "127.0.0.1", given.port)
    endpoint.connect(factory).addErrback(failed)
    _reactor.run()  # type: ignore[attr-defined, unused-ignore]


if __name__ == "__main__":
    main()
