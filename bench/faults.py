"""Faults against a real server process: ``python -m bench.faults [NAME ...]``.

Loopback only, and bounded in number and time: about two minutes for all.  Each fault is run twice
against one server.  Each time, its descriptors must be back where they were, a new client must be
served, and memory in use must not have grown.  Prints a table: memory in use before, after the
first and after the second time; and what was resident right after a fault, garbage and the free
pages of the C library included, which come back only later or are used again.  The exit status is
1 if something did not recover.
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

from bench.victim import ECHO, FLOOD, Broken, Server, backend, serving, until

MOST_MORE = 16 << 20
"""Bytes of memory that the first time of a fault may leave in use: what is remembered, and told."""

MOST_MORE_AGAIN = 4 << 20
"""Bytes that the second time may add to that."""


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


def is_ended(connection: socket.socket) -> bool:
    """Read until the other side ends the connection; false if it does not."""
    try:
        while connection.recv(1 << 16):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


# The faults: each returns what it has seen.


def resets(server: Server) -> str:
    """A storm of RSTs, at any moment of a connection."""
    chance = random.Random(1)
    hello = half_a_hello(server)
    for number in range(1000):
        connection = server.plain()
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
    """Handshakes that begin and never go on."""
    hello = half_a_hello(server)
    began = time.monotonic()
    connections = [server.plain() for _ in range(1000)]
    for each in connections:
        each.sendall(hello)
    served_meanwhile(server)
    left = sum(not is_ended(each) for each in connections)
    took = time.monotonic() - began
    for each in connections:
        each.close()
    if left:
        raise Broken(f"{left} of 1000 were not ended")
    return f"1000 ended after {took:.1f} s, another client served meanwhile"


def silence(server: Server) -> str:
    """Nothing more after STARTTLS."""
    connections = [server.plain() for _ in range(100)]
    for each in connections:
        speak_smtp(each)
    began = time.monotonic()
    left = sum(not is_ended(each) for each in connections)
    took = time.monotonic() - began
    for each in connections:
        each.close()
    if left:
        raise Broken(f"{left} of 100 were not ended")
    return f"100 ended {took:.1f} s after STARTTLS"


def garbage(server: Server) -> str:
    """Plain bytes without a line end, where a dialect expects words."""
    connection, block, sent = server.plain(), b"x" * 65536, 0
    with contextlib.suppress(OSError):
        while sent < 64 << 20:
            sent += connection.send(block)
    connection.close()
    if sent >= 64 << 20:
        raise Broken("64 MiB of garbage were taken")
    return f"refused after {sent >> 10} KiB were sent, most into socket buffers"


def slow_reader(server: Server) -> str:
    """A client that does not read what the backend has for it."""
    before, most = server.memory, 0
    connection = server.secure()
    connection.sendall(b"!")
    received = 0
    # Long enough for all that has room to be somewhere.
    for _ in range(20):
        time.sleep(0.1)
        most = max(most, server.memory)
    while data := connection.recv(1 << 18):
        received += len(data)
        if received >> 20 != (received - len(data)) >> 20:
            most = max(most, server.memory)
    connection.close()
    if received != 256 << 20:
        raise Broken(f"{received} bytes of 256 MiB arrived")
    if most - before > MOST_MORE:
        raise Broken(f"a slow reader cost {(most - before) / (1 << 20):.1f} MiB")
    return f"256 MiB behind a slow reader cost {(most - before) / (1 << 20):.1f} MiB at most"


def too_many(server: Server) -> str:
    """More clients than the server has descriptors for."""
    connections = []
    for _ in range(400):
        with contextlib.suppress(OSError):
            connections.append(server.plain())
    time.sleep(1.0)
    most, began = server.descriptors, server.cpu
    time.sleep(1.0)
    spent = server.cpu - began
    for each in connections:
        each.close()
    if spent > 0.5:
        raise Broken(f"{spent:.1f} s of CPU in 1 s of having no descriptors: it spins")
    return f"{len(connections)} clients, {most} descriptors of 200, {spent:.2f} s CPU in 1 s"


def speak_smtp(connection: socket.socket) -> None:
    """Say what an SMTP client does before TLS (RFC 3207)."""
    with connection.makefile("rb") as replies:
        for words in (b"", b"EHLO faults\r\n", b"STARTTLS\r\n"):
            connection.sendall(words)
            while replies.readline()[3:4] == b"-":
                pass


def served_meanwhile(server: Server) -> None:
    """Be served as a client of an echo."""
    with server.secure() as client:
        client.sendall(b"still there")
        if client.recv(64) != b"still there":
            raise Broken("a new client is not served")


def served_smtp(server: Server) -> None:
    """Be served as a client that speaks SMTP."""
    plain = server.plain()
    speak_smtp(plain)
    with server.secure(plain) as client:
        client.sendall(b"EHLO again\r\n")
        if not client.recv(64):
            raise Broken("a new client is not served")


def served_flood(server: Server) -> None:
    """Be served as a client of the flood, and leave."""
    with server.secure() as client:
        client.sendall(b"!")
        if not client.recv(64):
            raise Broken("a new client is not served")


Serve = Callable[[Server], None]
Fault = Callable[[Server], str]


def run(name: str, fault: Fault, serve: Serve, server: Server) -> bool:
    """Run a fault against a server that has served; print a row, and tell whether it recovered."""
    for _ in range(20):
        serve(server)
    until(lambda: settled(server), "the server does not come to rest")
    base, used, cpu, peak = server.descriptors, [server.used], server.cpu, 0
    seen, good = "", True
    try:
        for most in (MOST_MORE, MOST_MORE_AGAIN):
            seen = fault(server)
            peak = max(peak, server.memory)
            until(lambda: server.descriptors <= base, "descriptors are left open")
            serve(server)
            until(lambda: server.descriptors <= base, "descriptors are left open by a new client")
            used.append(server.used)
            if used[-1] - used[-2] > most:
                raise Broken("memory is left in use")
    except (Broken, OSError) as problem:
        seen, good = f"{type(problem).__name__}: {problem}" + (f" ({seen})" if seen else ""), False
    memories = " -> ".join(f"{each / (1 << 20):.1f}" for each in used)
    print(
        f"{name:12} {'ok' if good else 'BROKEN':6} {base:4} -> {server.descriptors:<4} "
        f"{memories:22} {peak / (1 << 20):6.1f} {server.cpu - cpu:6.2f}  {seen}",
        flush=True,
    )
    return good


def settled(server: Server) -> bool:
    """Whether the number of descriptors stays what it is for a moment."""
    before = server.descriptors
    time.sleep(0.3)
    return server.descriptors == before


def killed_backend() -> bool:
    """A backend that is killed with -9 in mid-stream, and started anew."""
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
            left = sum(not is_ended(each) for each in connections)
            for each in connections:
                each.close()
            if left:
                raise Broken(f"{left} of 50 clients were not told")
            again = ECHO.replace('"127.0.0.1", 0', f'"127.0.0.1", {port}')
            process, _ = stack.enter_context(backend(again))
            return "50 clients in mid-stream told of the end, backend started anew"

        return run("backend-9", fault, served_meanwhile, server)


def plainly(
    name: str, fault: Fault, serve: Serve, *options: str, descriptors: int = 0
) -> Callable[[], bool]:
    """Return what runs a fault against a server that needs no backend."""

    def start() -> bool:
        with serving(*options, descriptors=descriptors) as server:
            return run(name, fault, serve, server)

    return start


def read_slowly() -> bool:
    """Run the slow reader, with 256 MiB that wait for it."""
    with backend(FLOOD) as (_, option), serving(option) as server:
        return run("slow-reader", slow_reader, served_flood, server)


QUICK = ("--role=echo", "--handshake-timeout=2")
FAULTS: dict[str, Callable[[], bool]] = {
    "resets": plainly("resets", resets, served_meanwhile, "--role=echo"),
    "slow-loris": plainly("slow-loris", slow_loris, served_meanwhile, *QUICK),
    "silence": plainly("silence", silence, served_smtp, "--dialect=smtp", *QUICK),
    "garbage": plainly("garbage", garbage, served_smtp, "--dialect=smtp", *QUICK),
    "slow-reader": read_slowly,
    "backend-9": killed_backend,
    "too-many": plainly("too-many", too_many, served_meanwhile, "--role=echo", descriptors=200),
}


def main(names: list[str]) -> int:
    """Run the faults of these names, or all; return the exit status."""
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        sys.stderr.write(f"bench.faults: {unknown[0]!r} is none of {', '.join(FAULTS)}\n")
        return 2
    print(
        f"{'fault':19} {'descriptors':12} {'memory in use, MiB':22} {'after':>6} {'CPU, s':>6}  "
        "seen"
    )
    good = [FAULTS[name]() for name in names or FAULTS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
