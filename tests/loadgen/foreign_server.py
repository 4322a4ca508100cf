"""A server in memory: the negotiation of a dialect, then the TLS of the standard library."""

from __future__ import annotations

import enum
import ssl

from tests.support import MemoryTransport, certificates
from tlsdemo.starttls.negotiation import Say, Switch
from tlsdemo.starttls.registry import DIALECTS

RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")


class Fault(enum.Enum):
    NONE = "takes everything"
    READS_ONCE = "believes that its first read has the whole ClientHello"
    NO_RETRY = "closes where it would have to send a HelloRetryRequest"
    NO_LONG_HELLO = "reads 1,000 bytes of a ClientHello"


class ForeignServer:
    """Serves one connection, whose client writes to ``wire``.

    ``reads``: the sizes of what it was given of TLS, piece by piece.
    """

    def __init__(
        self,
        wire: MemoryTransport,
        dialect: str = "immediate",
        fault: Fault = Fault.NONE,
        highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
    ) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server = certificates().server
        assert server.certificate is not None
        context.load_cert_chain(server.certificate, server.key)
        context.maximum_version = highest
        if DIALECTS[dialect].alpn:
            context.set_alpn_protocols([*DIALECTS[dialect].alpn])
        self._arriving, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._arriving, self._leaving, server_side=True)
        self._wire = wire
        self._fault = fault
        self._plain = True
        self._negotiation = DIALECTS[dialect].server()
        self._secure = False
        self.reads: list[int] = []
        self._follow(self._negotiation.start())

    def turn(self) -> bool:
        """Take what the client has written, as one read; return whether there was something."""
        data = self._wire.take()
        if not data:
            return False
        if self._plain:
            self._follow(self._negotiation.receive(data))
        else:
            self._take(data)
        return True

    def _follow(self, commands: object) -> None:
        assert isinstance(commands, list)
        for command in commands:
            if isinstance(command, Say):
                self._wire.deliver(command.data)
            else:
                assert isinstance(command, Switch), command
                self._plain = False
                if command.leftover:
                    self._take(command.leftover)

    def _take(self, data: bytes) -> None:
        self.reads.append(len(data))
        whole = len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big")
        first = len(self.reads) == 1
        if first and self._fault is Fault.READS_ONCE and not whole:
            self._close()
            return
        if first and self._fault is Fault.NO_LONG_HELLO and len(data) > 1000:
            self._close()
            return
        self._arriving.write(data)
        try:
            if not self._secure:
                self._tls.do_handshake()
                self._secure = True
            while self._tls.read(1 << 16):
                pass
            self._tls.unwrap()
        except ssl.SSLWantReadError:
            pass
        answer = self._leaving.read()
        if self._fault is Fault.NO_RETRY and answer[11:43] == RETRY:
            self._close()
        elif answer:
            self._wire.deliver(answer)

    def _close(self) -> None:
        self._wire.lose(ConnectionResetError())
