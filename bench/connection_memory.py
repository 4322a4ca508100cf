"""``python -m bench.connection_memory``: what OpenSSL allocates for one server's connection.

Handshakes in memory, with X25519 and ECDSA P-256; the allocated bytes are the C library's
(mallinfo2(3), so Linux with glibc), divided by the number of connections.  This is the floor of
``python -m bench --measure=memory``: no program with the same OpenSSL has less.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from OpenSSL import SSL

from tlsdemo.certificates.demo_ca import demo_certificates
from tlsdemo.tls import ClientAuth, ClientTLS, Policy, ServerTLS
from tlsdemo.tls.openssl_io import IO

CONNECTIONS = 200

_FIELDS = (
    "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks",
    "keepcost",
)  # fmt: skip


class _Figures(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]


def allocated() -> int:
    """Return the bytes that are allocated at present."""
    gc.collect()
    mallinfo2 = ctypes.CDLL(None).mallinfo2
    mallinfo2.restype = _Figures
    found = mallinfo2()
    return int(found.uordblks + found.hblkhd)


def exchange(one: Any, other: Any) -> None:
    """Carry what ``one`` has for the wire to ``other``, and have that go on."""
    with suppress(SSL.WantReadError):
        other.bio_write(one.bio_read(1 << 16))
    with suppress(SSL.WantReadError):
        other.do_handshake()


def secured(server: Any, clients: ClientTLS) -> Any:
    """Secure ``server`` by a client, and return the client."""
    client = clients.make()
    client.set_connect_state()
    with suppress(SSL.WantReadError):
        client.do_handshake()
    for _ in range(2):
        exchange(client, server)
        exchange(server, client)
    client.send(b"x")
    exchange(client, server)
    IO.drain(server)
    return client


def grown(server: Any, clients: ClientTLS) -> None:
    """Secure ``server``, and have it receive 64 KiB at once."""
    client = secured(server, clients)
    for _ in range(5):
        client.send(b"x" * (1 << 14))
    server.bio_write(client.bio_read(1 << 17)[: 1 << 16])
    IO.drain(server)


def main() -> int:
    """Print the table, and return the exit status."""
    if not hasattr(ctypes.CDLL(None), "mallinfo2"):
        print("python -m bench.connection_memory: this C library has no mallinfo2", file=sys.stderr)
        return 1
    policy = Policy(groups="X25519")
    with tempfile.TemporaryDirectory() as home:
        files = demo_certificates(Path(home), "ecdsa", datetime.now(timezone.utc))
        clients = ClientTLS.build(files.client, "localhost", policy=policy)
        for about, auth, use in (
            ("new", ClientAuth.REQUIRED, lambda *_: None),
            ("secured, no client certificate", ClientAuth.NONE, secured),
            ("secured, client certificate", ClientAuth.REQUIRED, secured),
            ("and 64 KiB received at once", ClientAuth.REQUIRED, grown),
        ):
            tls = ServerTLS.build(files.server, auth, policy=policy)
            _print(about, tls, clients, use)
    return 0


def _print(about: str, tls: ServerTLS, clients: ClientTLS, use: Callable[..., object]) -> None:
    def made(number: int) -> list[Any]:
        connections = [tls.make() for _ in range(number)]
        for each in connections:
            each.set_accept_state()
            use(each, clients)
        return connections

    made(5)
    before = allocated()
    connections = made(CONNECTIONS)
    kib = (allocated() - before) / CONNECTIONS / 1024
    for each in connections:
        each.release_buffers()
    released = (allocated() - before) / CONNECTIONS / 1024
    print(f"{about:32} {kib:6.1f} KiB, {released:6.1f} with its buffers released")


if __name__ == "__main__":
    raise SystemExit(main())
