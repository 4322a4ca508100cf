"""Blocking clients, with the TLS of the standard library, for the stacks' servers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support import certificates
from tlsdemo.certificates.files import Credentials

TIMEOUT = 10.0
GARBAGE = b"\x00garbage\r\n" * 4

Client = Callable[[int], object]
"""Connects to a port, and returns what it received."""


def _context(own: Credentials | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificates().authority))
    context.set_alpn_protocols(["http/1.1"])
    if own is not None:
        assert own.certificate is not None and own.key is not None
        context.load_cert_chain(Path(own.certificate), Path(own.key))
    return context


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield plain


@contextlib.contextmanager
def _secured(port: int, own: Credentials | None = None) -> Iterator[ssl.SSLSocket]:
    with _connected(port) as plain:
        yield _context(own).wrap_socket(plain, server_hostname="localhost")


def _close(tls: ssl.SSLSocket) -> None:
    # asyncio does not answer close_notify before Python 3.11.
    with contextlib.suppress(ssl.SSLEOFError):
        tls.unwrap()


def _echo(port: int, own: Credentials | None) -> bytes:
    with _secured(port, own) as tls:
        tls.sendall(b"hello")
        received = tls.recv(100)
        _close(tls)
        return received


def echo(port: int) -> object:
    return _echo(port, None)


def echo_with_certificate(port: int) -> object:
    return _echo(port, certificates().client)


def echo_or_error(port: int) -> object:
    try:
        return _echo(port, None)
    except (ssl.SSLError, OSError) as error:
        return type(error)


def read_only(port: int) -> object:
    with _secured(port) as tls:
        received = tls.recv(100)
        _close(tls)
        return received


def read_until_closed(port: int) -> object:
    with _secured(port) as tls:
        tls.sendall(b"hello")
        return [tls.recv(100), tls.recv(100)]


def send_garbage(port: int) -> object:
    with _connected(port) as plain:
        plain.sendall(GARBAGE)
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(100):
                pass
        return None


def _begin_handshake(plain: socket.socket) -> None:
    """Send a ClientHello, and receive the first byte of the server's answer."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = _context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    plain.sendall(outgoing.read())
    plain.recv(1)


def close_during_handshake(port: int) -> object:
    with _connected(port) as plain:
        _begin_handshake(plain)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(1 << 16):
            pass
        return None


def reset_during_handshake(port: int) -> object:
    with _connected(port) as plain:
        _begin_handshake(plain)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return None
