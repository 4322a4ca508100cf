"""Floors: what OpenSSL alone costs, in this process, without a socket or an event loop."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import thread_time

from OpenSSL import SSL

from bench.child import NotInstalled
from bench.load.pins import Pins
from bench.measures import handshakes, records
from bench.measures.task import Found, Task
from bench.peers.programs import find_program
from bench.plan import Plan
from bench.workbench import Workbench
from tlsdemo.certificates.demo_ca import DemoCertificates
from tlsdemo.net.command import run_command

SSL_READ = "floor: SSL_read"
ARITHMETIC = "floor: arithmetic"

ABOUT = {
    SSL_READ: "SSL_read over a memory BIO into one buffer, called in a loop",
    ARITHMETIC: "openssl speed: what a server signs, verifies and derives in an mTLS handshake",
}

_AT_ONCE = 1 << 16
_BUFFER = 1 << 18


def tasks(plan: Plan) -> Iterator[Task]:
    """Return the task of each floor."""
    # The case of the table; a floor does not depend on the number of connections.
    connections = 200 if 200 in plan.record_connections else plan.record_connections[0]
    cases = {records.case_of(connections, size): size for size in plan.record_sizes}

    def run_records(workbench: Workbench) -> Found:
        for case, size in cases.items():
            count = max(1, min(plan.records, plan.most_bytes // size))
            seconds = _read_seconds(workbench.certificates, size, count)
            yield (
                case,
                {
                    "cpu_us_a_record": seconds / count * 1e6,
                    "cpu_ms_a_megabyte": seconds / (count * size) * records.MEGABYTE * 1e3,
                },
            )

    def run_handshakes(_: Workbench) -> Found:
        command = [
            *(find_program("openssl"), "speed", "-seconds", "1"),
            *("ecdsap256", "ecdhx25519"),
        ]
        yield (
            handshakes.STORM,
            {"cpu_ms_a_handshake": arithmetic(run_command(command, timeout=30).output) * 1e3},
        )

    yield Task(records.NAME, tuple(cases), SSL_READ, run_records)
    yield Task(handshakes.NAME, (handshakes.STORM,), ARITHMETIC, run_handshakes)


def arithmetic(text: str) -> float:
    """Return the CPU seconds of a handshake's arithmetic, by the output of ``openssl speed``.

    A server makes a key of its group and derives the secret, signs, and verifies two signatures:
    that of the client's certificate, and the client's own.
    """
    # The times are rounded to 0.1 ms, the operations a second are not.
    ecdsa = re.search(r"256 bits ecdsa .*?s +\S+s +(\d+\.\d) +(\d+\.\d)", text)
    ecdh = re.search(r"253 bits ecdh .*?s +(\d+\.\d)", text)
    if ecdsa is None or ecdh is None:
        raise NotInstalled("openssl speed prints something else than expected")
    sign, verify, derive = (1 / float(each) for each in (ecdsa[1], ecdsa[2], ecdh[1]))
    return sign + 2 * verify + 2 * derive


def _read_seconds(certificates: DemoCertificates, size: int, count: int) -> float:
    client, server = _connected(certificates)
    lib, ffi = SSL._lib, SSL._ffi  # type: ignore[attr-defined]
    buffer, handle = ffi.new("char[]", _BUFFER), server._ssl
    read, spent, payload = lib.SSL_read, 0.0, b"x" * size
    for sent in range(0, count, max(1, _AT_ONCE // size)):
        some = min(count - sent, max(1, _AT_ONCE // size))
        for _ in range(some):
            client.send(payload)
        wire = client.bio_read(1 << 24)
        began = thread_time()
        server.bio_write(wire)
        for _ in range(some):
            read(handle, buffer, _BUFFER)
        spent += thread_time() - began
    return spent


def _connected(certificates: DemoCertificates) -> Sequence[SSL.Connection]:
    own = certificates.server
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.use_certificate_chain_file(str(own.certificate))
    context.use_privatekey_file(str(own.key))
    client_context = Pins(client_certificate=False).client_context(None, None)
    client, server = SSL.Connection(client_context, None), SSL.Connection(context, None)
    client.set_connect_state()
    server.set_accept_state()
    for _ in range(3):
        for one, other in ((client, server), (server, client)):
            with suppress(SSL.WantReadError):
                one.do_handshake()
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(1 << 16))
    return client, server
