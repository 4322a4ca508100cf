"""The options of a load, which ``twistd tlsclient`` and ``tlsdemo run`` have in common."""

from __future__ import annotations

import os
from typing import Any

from tlsdemo.cli.options import TLSOptions, fail, seconds, whole
from tlsdemo.loadgen.schedule import Task, default_workers, descriptors_needed, workers_needed
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.starttls.registry import DIALECTS, find_dialect
from tlsdemo.tls import MODES, ClientTLS, ModeName, UnusableCredentials

LOAD_PARAMETERS: list[list[Any]] = [
    ["conn", "c", 2000, "How many connections, in all.", whole(1, 1_000_000)],
    ["workers", None, None, "From how many processes. [default: one less than there are CPUs, at "
     "least 1]", whole(1, 1024)],
    ["packet-size", None, 32, "Bytes in a packet; each is a write of its own.",
     whole(1, 1 << 24)],
    ["duration", None, 10.0, "Seconds of sending.", seconds(0.0)],
    ["packets", None, 0, "End each connection after so many packets; 0 to go by --duration.",
     whole(0)],
    ["burst", None, 64, "Packets that a connection writes in a row before it is another's turn.",
     whole(1)],
    ["dialect", None, None, "How client and server agree that TLS starts: "
     f"{', '.join(DIALECTS)}. [default: immediate]",
     find_dialect],
    ["connect-rate", None, 0.0, "Open at most so many connections a second; 0 for as fast as may "
     "be.", seconds(0.0)],
    ["in-flight", None, 256, "How many connections a worker secures at once.", whole(1)],
    ["timeout", None, 60.0, "Seconds a connection may take to be secure, from the beginning, and "
     "the server to drain at the end.", seconds(0.1)],
    ["plain-timeout", None, None, "Seconds that a client's words before TLS may take; 0 for no "
     "limit but --timeout, as with the next. [default: --timeout]", seconds(0.0)],
    ["handshake-timeout", None, None, "Seconds that a client's handshake may take. "
     "[default: --timeout]", seconds(0.0)],
    ["idle-timeout", None, 600.0, "Seconds that a client may be silent once it is to send (not "
     "while it waits for the others to be secured); 0 for any time.", seconds(0.0)],
    ["closing-timeout", None, None, "Seconds that a client waits for the end of a connection that "
     "it closes, before it is cut off; 0 for any time. [default: --timeout]", seconds(0.0)],
]  # fmt: skip

SENDS = {"raw": "raw", "buffered": "buffered", "stock": None}


class LoadOptions(TLSOptions):
    """Reads the options that describe a load."""

    def workers(self) -> int:
        """Return how many workers, each of which can carry its share.

        Ends the process with one line if the limit of descriptors is too low for that.
        """
        connections = self["conn"]
        workers = self["workers"] or default_workers(os.cpu_count() or 1)
        limit, needed = raise_descriptor_limit(), descriptors_needed(connections, workers)
        if needed <= limit:
            return int(workers)
        more = workers_needed(connections, limit)
        instead = f", or use more processes: --workers={more}" if more else ""
        fail(
            self.command,
            f"--conn={connections} needs {needed} descriptors in each of {workers} processes, and "
            f"the limit is {limit}; raise it: ulimit -Hn {needed}, as root{instead}",
            status=1,
        )

    def task(self, connect: str, mode: ModeName, server_name: str) -> Task:
        """Return what the workers are to do.

        Ends the process with one line if their end of TLS could not be made.
        """
        credentials = self.credentials("client")
        try:
            ClientTLS.build(credentials, server_name, policy=self["policy"])
        except UnusableCredentials as problem:
            fail(self.command, problem, status=1)
        except ValueError:
            fail(self.command, f"--server-name is {server_name!r}, which no certificate can name")
        send = SENDS[self["send"]] or MODES[mode].send.value
        return Task(
            connections=self["conn"],
            connect=connect,
            server_name=server_name,
            mode=mode.value,
            send=send,
            packet_size=self["packet-size"],
            packets=self["packets"],
            burst=self["burst"],
            rate=self["connect-rate"],
            in_flight=self["in-flight"],
            timeout=self["timeout"],
            plain_timeout=self._or_timeout("plain-timeout"),
            handshake_timeout=self._or_timeout("handshake-timeout"),
            idle_timeout=self["idle-timeout"],
            closing_timeout=self._or_timeout("closing-timeout"),
            certificate=str(credentials.certificate),
            key=str(credentials.key),
            authority=str(credentials.authority),
            dialect=(self["dialect"] or DIALECTS["immediate"]).name,
            tls_min=self["policy"].lowest.value,
            tls_max=self["policy"].highest.value,
            ciphers=self["policy"].ciphers,
        )

    def _or_timeout(self, option: str) -> float:
        return float(self["timeout"] if self[option] is None else self[option])
