"""Clients of the standard library, each of which has one way with a peer."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support import certificates
from tlsdemo.certificates.files import Credentials
from tlsdemo.lab.stacks.stack_config import Auth, Scenario, StackConfig

TIMEOUT = 10.0
GARBAGE = b"\x00garbage\r\n" * 4

Client = Callable[[int], object]


def config(**changes: object) -> StackConfig:
    made = certificates()
    given = {
        "certificate": str(made.server.certificate),
        "key": str(made.server.key),
        "authority": str(made.authority),
        "alpn": ("http/1.1",),
        "timeout": 5.0,
        **changes,
    }
    return StackConfig(**given)  # type: ignore[arg-type]


def demanding() -> StackConfig:
    return config(client_auth=Auth.REQUIRED)


def server_first() -> StackConfig:
    return config(scenario=Scenario.SERVER_FIRST)


def server_closes() -> StackConfig:
    return config(scenario=Scenario.SERVER_CLOSES)


def context(shown: Credentials | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=str(certificates().authority))
    made.set_alpn_protocols(["http/1.1"])
    if shown is not None:
        assert shown.certificate is not None and shown.key is not None
        made.load_cert_chain(Path(shown.certificate), Path(shown.key))
    return made


@contextlib.contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield plain


def _end(tls: ssl.SSLSocket) -> None:
    # asyncio does not answer a close_notify before Python 3.11.
    with contextlib.suppress(ssl.SSLEOFError):
        tls.unwrap()


def _echoed(port: int, made: ssl.SSLContext) -> object:
    with _connected(port) as plain:
        tls = made.wrap_socket(plain, server_hostname="localhost")
        tls.sendall(b"hello")
        got = tls.recv(100)
        _end(tls)
        return got


def echoed(port: int) -> object:
    return _echoed(port, context())


def echoed_with_certificate(port: int) -> object:
    return _echoed(port, context(certificates().client))


def without_certificate(port: int) -> object:
    try:
        return _echoed(port, context())
    except (ssl.SSLError, OSError) as error:
        return type(error)


def listens(port: int) -> object:
    with _connected(port) as plain:
        tls = context().wrap_socket(plain, server_hostname="localhost")
        got = tls.recv(100)
        _end(tls)
        return got


def waits_for_the_end(port: int) -> object:
    with _connected(port) as plain:
        tls = context().wrap_socket(plain, server_hostname="localhost")
        tls.sendall(b"hello")
        return [tls.recv(100), tls.recv(100)]


def garbage(port: int) -> object:
    with _connected(port) as plain:
        plain.sendall(GARBAGE)
        with contextlib.suppress(ConnectionResetError):
            while plain.recv(100):
                pass
        return None


def _begin(plain: socket.socket) -> None:
    """Say hello, and hear the first of the server's answer."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    begun = context().wrap_bio(received, sent, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        begun.do_handshake()
    plain.sendall(sent.read())
    plain.recv(1)


def ends_in_the_handshake(port: int) -> object:
    with _connected(port) as plain:
        _begin(plain)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(1 << 16):
            pass
        return None


def resets_in_the_handshake(port: int) -> object:
    with _connected(port) as plain:
        _begin(plain)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return None
