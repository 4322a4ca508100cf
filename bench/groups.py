"""What a ClientHello costs a server, by the group that its client has chosen.

An attacker sends a ClientHello and resets the connection; the server has by then made a key of the
client's group, and signed.  ``python -m bench.groups [rounds]``: CPU milliseconds a ClientHello,
the median of rounds, in memory.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import sys
import time

from OpenSSL import SSL

from tlsdemo.cli.standard_output import guarded
from tlsdemo.testing import temporary_certificates
from tlsdemo.tls import ClientAuth, ServerTLS
from tlsdemo.tls.groups import set_groups
from tlsdemo.tls.policy import Policy

COMMAND = "python -m bench.groups"

HELLOS = 100
OPENSSLS = "X25519:P-256:X448:P-384:P-521:ffdhe2048:ffdhe3072"
CLIENTS = ("X25519MLKEM768", "X25519", "P-256", "P-384", "P-521", "X448", "ffdhe2048", "ffdhe3072")


def hello(group: str) -> bytes | None:
    """Return the ClientHello of a client that offers one group; ``None`` if OpenSSL lacks it."""
    context = SSL.Context(SSL.TLS_METHOD)
    if not set_groups(context, group):
        return None
    client = SSL.Connection(context, None)
    client.set_connect_state()
    with contextlib.suppress(SSL.WantReadError):
        client.do_handshake()
    return client.bio_read(1 << 15)


def cost(tls: ServerTLS, data: bytes) -> float:
    """Return the CPU milliseconds of a server for one ClientHello."""
    begin = time.process_time()
    for _ in range(HELLOS):
        server = tls.make()
        server.set_accept_state()
        server.bio_write(data)
        with contextlib.suppress(SSL.Error):
            server.do_handshake()
    return (time.process_time() - begin) / HELLOS * 1000


def main() -> int:
    """Print a line for each group of a client, and return the exit status."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("rounds", type=int, nargs="?", default=5, help="how many [5]")
    rounds = parser.parse_args().rounds
    credentials = temporary_certificates().server
    ours, openssls = (
        ServerTLS.build(credentials, ClientAuth.NONE, policy=policy)
        for policy in (Policy(), Policy(groups=OPENSSLS))
    )
    print(f"{'client':16} {'our groups':>12} {'OpenSSL 3.0':>12}   ms of CPU a ClientHello")
    for group in CLIENTS:
        data = hello(group)
        if data is None:
            print(f"{group:16} this OpenSSL has no such group")
            continue
        found = [[cost(tls, data) for tls in (ours, openssls)] for _ in range(rounds)]
        mine, theirs = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{group:16} {mine:12.2f} {theirs:12.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(COMMAND, main))
