"""Faults against a real server process: ``python -m bench.faults [NAME ...]``.

Loopback only, and bounded in number and time: about two minutes for all.  Each fault is run twice
against one server.  After each run the number of its descriptors must be what it was before, a new
client must be served, and the memory in use must not have grown.  Prints a table with the memory in
use before, after the first run and after the second; and the resident memory right after a fault,
which includes garbage and free pages of the C library.  The exit status is 1 if something did not
recover.
"""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable

from bench.server_under_test import ECHO, FLOOD, NotRecovered, Server, backend, serving, until
from tlsdemo.cli.standard_output import guarded

MAX_GROWTH = 16 << 20
"""Bytes that the first run of a fault may leave in use: caches, and the log."""

MAX_GROWTH_AGAIN = 4 << 20
"""Bytes that the second run may add to that."""


def reset(connection: socket.socket) -> None:
    """Close with an RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def half_a_hello(server: Server) -> bytes:
    """Return the first half of a ClientHello."""
    outgoing = ssl.MemoryBIO()
    client = server.context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    hello = outgoing.read()
    return hello[: len(hello) // 2]


def is_closed(connection: socket.socket) -> bool:
    """Read until the peer closes the connection; return False if it does not."""
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


# The faults: each returns one line about what was observed.


def resets(server: Server) -> str:
    """Many RSTs, at any moment of a connection."""
    chance = random.Random(1)
    hello = half_a_hello(server)
    for number in range(1000):
        connection = server.connect()
        if number % 4 == 3:
            with contextlib.suppress(OSError):
                connection = server.secure(connection)
                connection.sendall(bytes(chance.randrange(1, 5000)))
        elif number % 4:
            connection.sendall(hello[: chance.randrange(1, len(hello))])
        time.sleep(chance.random() / 500)
        reset(connection)
    return "1000 connections reset, a quarter of them secure"


def slow_loris(server: Server) -> str:
    """Handshakes that begin and do not continue."""
    hello = half_a_hello(server)
    began = time.monotonic()
    connections = [server.connect() for _ in range(1000)]
    for each in connections:
        each.sendall(hello)
    check_echo(server)
    left = sum(not is_closed(each) for each in connections)
    took = time.monotonic() - began
    for each in connections:
        each.close()
    if left:
        raise NotRecovered(f"{left} of 1000 were not closed")
    return f"1000 closed after {took:.1f} s, another client served in the meantime"


def silence(server: Server) -> str:
    """Clients that send nothing after STARTTLS."""
    connections = [server.connect() for _ in range(100)]
    for each in connections:
        negotiate_smtp(each)
    began = time.monotonic()
    left = sum(not is_closed(each) for each in connections)
    took = time.monotonic() - began
    for each in connections:
        each.close()
    if left:
        raise NotRecovered(f"{left} of 100 were not closed")
    return f"100 closed {took:.1f} s after STARTTLS"


def garbage(server: Server) -> str:
    """Plain bytes without a line end, where a dialect expects lines."""
    connection, block, sent = server.connect(), b"x" * 65536, 0
    with contextlib.suppress(OSError):
        while sent < 64 << 20:
            sent += connection.send(block)
    connection.close()
    if sent >= 64 << 20:
        raise NotRecovered("64 MiB of garbage were accepted")
    return f"refused after {sent >> 10} KiB were sent, most into socket buffers"


def slow_reader(server: Server) -> str:
    """A client that does not read what the backend sends."""
    before, most = server.memory, 0
    connection = server.secure()
    connection.sendall(b"!")
    received = 0
    # Long enough for all buffers to fill.
    for _ in range(20):
        time.sleep(0.1)
        most = max(most, server.memory)
    while data := connection.recv(1 << 18):
        received += len(data)
        if received >> 20 != (received - len(data)) >> 20:
            most = max(most, server.memory)
    connection.close()
    if received != 256 << 20:
        raise NotRecovered(f"{received} bytes of 256 MiB arrived")
    if most - before > MAX_GROWTH:
        raise NotRecovered(f"a slow reader cost {(most - before) / (1 << 20):.1f} MiB")
    return f"256 MiB behind a slow reader cost {(most - before) / (1 << 20):.1f} MiB at most"


def too_many(server: Server) -> str:
    """More clients than the server has descriptors for."""
    connections = []
    for _ in range(400):
        with contextlib.suppress(OSError):
            connections.append(server.connect())
    time.sleep(1.0)
    most, began = server.descriptors, server.cpu
    time.sleep(1.0)
    spent = server.cpu - began
    for each in connections:
        each.close()
    if spent > 0.5:
        raise NotRecovered(f"{spent:.1f} s of CPU in 1 s of having no descriptors: it spins")
    return f"{len(connections)} clients, {most} descriptors of 200, {spent:.2f} s CPU in 1 s"


def negotiate_smtp(connection: socket.socket) -> None:
    """Negotiate TLS as an SMTP client does (RFC 3207)."""
    with connection.makefile("rb") as replies:
        for command in (b"", b"EHLO faults\r\n", b"STARTTLS\r\n"):
            connection.sendall(command)
            while replies.readline()[3:4] == b"-":
                pass


def check_echo(server: Server) -> None:
    """Fail unless a new client of an echo server is served."""
    with server.secure() as client:
        client.sendall(b"still there")
        if client.recv(64) != b"still there":
            raise NotRecovered("a new client is not served")


def check_smtp(server: Server) -> None:
    """Fail unless a new SMTP client is served."""
    plain = server.connect()
    negotiate_smtp(plain)
    with server.secure(plain) as client:
        client.sendall(b"EHLO again\r\n")
        if not client.recv(64):
            raise NotRecovered("a new client is not served")


def check_flood(server: Server) -> None:
    """Fail unless a new client of the flooding backend is served."""
    with server.secure() as client:
        client.sendall(b"!")
        if not client.recv(64):
            raise NotRecovered("a new client is not served")


Check = Callable[[Server], None]
Fault = Callable[[Server], str]


def run(name: str, fault: Fault, check: Check, server: Server) -> bool:
    """Run a fault twice against a server; print a row, and return whether it recovered."""
    for _ in range(20):
        check(server)
    until(lambda: settled(server), "the number of descriptors does not settle")
    base, used, cpu, peak = server.descriptors, [server.used], server.cpu, 0
    seen, good = "", True
    try:
        for most in (MAX_GROWTH, MAX_GROWTH_AGAIN):
            seen = fault(server)
            peak = max(peak, server.memory)
            until(lambda: server.descriptors <= base, "descriptors are left open")
            check(server)
            until(lambda: server.descriptors <= base, "descriptors are left open by a new client")
            used.append(server.used)
            if used[-1] - used[-2] > most:
                raise NotRecovered("memory is left in use")
    except (NotRecovered, OSError) as problem:
        seen, good = f"{type(problem).__name__}: {problem}" + (f" ({seen})" if seen else ""), False
    memories = " -> ".join(f"{each / (1 << 20):.1f}" for each in used)
    print(
        f"{name:12} {'ok' if good else 'BROKEN':6} {base:4} -> {server.descriptors:<4} "
        f"{memories:22} {peak / (1 << 20):6.1f} {server.cpu - cpu:6.2f}  {seen}",
        flush=True,
    )
    return good


def settled(server: Server) -> bool:
    """Return whether the number of descriptors does not change for a moment."""
    before = server.descriptors
    time.sleep(0.3)
    return server.descriptors == before


def killed_backend() -> bool:
    """Kill a backend with SIGKILL in the middle of its streams, and start it again."""
    with contextlib.ExitStack() as stack:
        process, option = stack.enter_context(backend(ECHO))
        server = stack.enter_context(serving(option))
        port = option.rpartition(":")[2]

        def fault(server: Server) -> str:
            nonlocal process
            connections = [server.secure() for _ in range(50)]
            for each in connections:
                each.sendall(bytes(1 << 16))
            process.kill()
            process.wait()
            left = sum(not is_closed(each) for each in connections)
            for each in connections:
                each.close()
            if left:
                raise NotRecovered(f"{left} of 50 clients were not disconnected")
            again = ECHO.replace('"127.0.0.1", 0', f'"127.0.0.1", {port}')
            process, _ = stack.enter_context(backend(again))
            return "50 clients disconnected, backend started again"

        return run("backend-9", fault, check_echo, server)


def without_backend(
    name: str, fault: Fault, check: Check, *options: str, descriptors: int = 0
) -> Callable[[], bool]:
    """Return a function that runs a fault against a server without a backend."""

    def start() -> bool:
        with serving(*options, descriptors=descriptors) as server:
            return run(name, fault, check, server)

    return start


def slow_reader_of_flood() -> bool:
    """Run the slow reader, for which a backend has 256 MiB."""
    with backend(FLOOD) as (_, option), serving(option) as server:
        return run("slow-reader", slow_reader, check_flood, server)


QUICK = ("--role=echo", "--handshake-timeout=2")
FAULTS: dict[str, Callable[[], bool]] = {
    "resets": without_backend("resets", resets, check_echo, "--role=echo"),
    "slow-loris": without_backend("slow-loris", slow_loris, check_echo, *QUICK),
    "silence": without_backend("silence", silence, check_smtp, "--dialect=smtp", *QUICK),
    "garbage": without_backend("garbage", garbage, check_smtp, "--dialect=smtp", *QUICK),
    "slow-reader": slow_reader_of_flood,
    "backend-9": killed_backend,
    "too-many": without_backend("too-many", too_many, check_echo, "--role=echo", descriptors=200),
}


def main(names: list[str]) -> int:
    """Run the named faults, or all; return the exit status."""
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        sys.stderr.write(f"bench.faults: {unknown[0]!r} is none of {', '.join(FAULTS)}\n")
        return 2
    print(
        f"{'fault':19} {'descriptors':12} {'memory in use, MiB':22} {'after':>6} {'CPU, s':>6}  "
        "observed"
    )
    good = [FAULTS[name]() for name in names or FAULTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(guarded("python -m bench.faults", lambda: main(sys.argv[1:])))
