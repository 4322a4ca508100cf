"""The options of a load, for ``twistd tlsclient`` and ``tlsdemo run``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, ClassVar

from tlsdemo.cli.option_groups import Group
from tlsdemo.cli.options import fail, seconds, whole
from tlsdemo.cli.scenario_options import ScenarioOptions
from tlsdemo.cli.source_addresses import source_addresses
from tlsdemo.cli.suggestions import knowing, one_of
from tlsdemo.cli.tls_options import TLSOptions
from tlsdemo.loadgen.controller import READY_WITHIN
from tlsdemo.loadgen.schedule import (
    Task,
    addresses_needed,
    default_workers,
    descriptors_needed,
    descriptors_to_control,
    workers_needed,
)
from tlsdemo.loadgen.status_client import ANSWER_WITHIN
from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.net.local_addresses import ephemeral_ports, not_ours
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.names import host_name
from tlsdemo.starttls.negotiation import MAX_LINE, MAX_PLAIN
from tlsdemo.starttls.registry import DIALECTS, find_dialect
from tlsdemo.tls import MODES, ClientTLS, ModeName, UnusableCredentials

CLIENT_NAME = "client.example"
"""A name with a dot, which strict mail servers demand (RFC 5321, section 2.3.5)."""


@knowing(DIALECTS)
def _dialect(name: str) -> Dialect:
    return find_dialect(one_of(DIALECTS)(name))


LOAD_PARAMETERS: list[list[Any]] = [
    ["conn", "c", 2000, "Total number of connections.", whole(1, 1_000_000)],
    ["source", None, None, "Our addresses that connections come from, in turn, such as "
     "127.0.0.2-127.0.0.9 or a list with commas. From each there can be some 28,000 connections to "
     "a server's port. [default: the system's choice]", source_addresses],
    ["workers", None, None, "Number of client processes. [default: the number of CPUs less 1, at "
     "least 1]", whole(1, 1024)],
    ["packet-size", None, 32, "Bytes in a packet, which is one write, or in a message.",
     whole(1, 1 << 24)],
    ["duration", None, 10.0, "Seconds to send for, or to measure each rate.", seconds(0.0)],
    ["packets", None, 0, "Packets or messages to send on each connection before closing it; 0 to "
     "send for --duration, and in churn for none.",
     whole(0)],
    ["burst", None, 64, "Packets that a connection writes before the next connection's turn.",
     whole(1)],
    ["dialect", None, None, "Protocol in which client and server agree to start TLS: "
     f"{', '.join(DIALECTS)}. [default: immediate]",
     _dialect],
    ["client-name", None, CLIENT_NAME, "Name that clients of smtp and lmtp call themselves: a "
     "host name, or an address in brackets.", host_name],
    ["max-line", None, None, "Maximum bytes in a line that a server sends before TLS. [default: "
     f"the dialect's, mostly {MAX_LINE}]", whole(64)],
    ["max-plain", None, MAX_PLAIN, "Maximum bytes that a server sends before TLS in total.",
     whole(64)],
    ["connect-rate", None, 0.0, "Connections to open per second, at most; 0 for no limit.",
     seconds(0.0)],
    ["in-flight", None, 256, "Handshakes that a client process has in progress at a time, at most.",
     whole(1)],
    ["timeout", None, 60.0, "Seconds for a connection from the start until it is secured, and for "
     "the server to receive everything at the end.", seconds(0.1)],
    ["plain-timeout", None, None, "Seconds for a client's negotiation before TLS; 0 for no limit "
     "but --timeout. [default: --timeout]", seconds(0.0)],
    ["handshake-timeout", None, None, "Seconds for a client's TLS handshake; 0 for no limit but "
     "--timeout. [default: --timeout]", seconds(0.0)],
    ["idle-timeout", None, 600.0, "Seconds that a client may be idle while it sends (not while it "
     "waits for the other connections to be secured); 0 for no limit.", seconds(0.0)],
    ["closing-timeout", None, None, "Seconds that a client waits for the end of a connection that "
     "it closes, before it aborts it; 0 for no limit. [default: --timeout]", seconds(0.0)],
]  # fmt: skip

LOAD_BOUNDS = (
    f"the clients' processes have {READY_WITHIN:g} seconds to start, and the server's "
    f"status service {ANSWER_WITHIN:g} seconds to answer; clients give up after --timeout, "
    "and while they send, once nothing has moved for --idle-timeout."
)
"""For the help: when a load is over at the latest."""

SENDS = {"raw": "raw", "buffered": "buffered", "stock": None}


class LoadOptions(ScenarioOptions, TLSOptions):
    """The options of a load."""

    aliases: ClassVar[Mapping[str, str]] = {"helo-name": "client-name"}

    groups: ClassVar[Mapping[Group, str]] = {
        Group.BEFORE_TLS: "dialect client-name max-line max-plain plain-timeout",
        Group.LISTENING: "source",
        Group.LIMITS: "timeout handshake-timeout idle-timeout closing-timeout "
        "connect-rate in-flight",
        Group.DEMONSTRATION: "conn duration packet-size packets burst workers",
    }

    def workers(self) -> int:
        """Return the number of workers.

        Ends the process with one line if there are too few file descriptors or ports for them.
        """
        connections = self["conn"]
        self._check_ports(connections)
        workers = self["workers"] or default_workers(os.cpu_count() or 1)
        limit, needed = raise_descriptor_limit(), descriptors_needed(connections, workers)
        here = descriptors_to_control(workers)
        if here > max(limit, needed):
            fail(
                self.command,
                f"{workers} workers need {here} file descriptors in the process that starts them, "
                f"and the limit is {limit}; use fewer --workers, or raise it: ulimit -Hn {here}, "
                "as root",
            )
        if needed <= limit:
            return int(workers)
        more = workers_needed(connections, limit)
        instead = f", or use more processes: --workers={more}" if more else ""
        fail(
            self.command,
            f"--conn={connections} needs {needed} file descriptors in each of {workers} "
            f"processes, and the limit is {limit}; raise it: ulimit -Hn {needed}, as root{instead}",
        )

    def _check_ports(self, connections: int) -> None:
        sources, ports = self["source"] or [], ephemeral_ports()
        if (found := not_ours(sources)) is not None:
            address, why = found
            fail(self.command, f"--source has {address}, from which we cannot connect: {why}")
        if ports is None or self.get("connect", "tcp:").startswith("unix:"):
            return
        needed, has = addresses_needed(connections, ports), max(1, len(sources))
        if needed is None or needed > has:
            fail(
                self.command,
                f"--conn={connections} needs as many ports, and {has} source address"
                f"{'es have' if has > 1 else ' has'} {has * ports} for one port of a server; "
                f"give {needed or 'more'} addresses with --source, or more ports with: "
                "sysctl net.ipv4.ip_local_port_range='1024 65535'",
            )

    def task(self, connect: str, mode: ModeName, server_name: str) -> Task:
        """Return the task of the workers.

        Ends the process with one line if OpenSSL cannot use the credentials.
        """
        credentials = self.credentials("client")
        try:
            ClientTLS.build(credentials, server_name, policy=self["policy"])
        except UnusableCredentials as problem:
            fail(self.command, problem)
        except ValueError:
            fail(
                self.command,
                f"--server-name is {server_name!r}, not a name that a certificate can have",
            )
        send = SENDS[self["send"]] or MODES[mode].send.value
        return Task(
            connections=self["conn"],
            connect=connect,
            sources=",".join(self["source"] or ()),
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
            helo_name=self["client-name"],
            max_line=self["max-line"] or 0,
            max_plain=self["max-plain"],
            pipeline=self["pipeline"],
            trickle=self["trickle"],
            resume=bool(self["resume"]),
            prefill=bool(self["prefill"]),
            say=self["say"] or "",
            expect=self["expect"] or "",
            tls_min=self["policy"].lowest.value,
            tls_max=self["policy"].highest.value,
            ciphers=self["policy"].ciphers,
            groups=self["policy"].groups or "",
            passphrase=(credentials.passphrase or b"").decode("utf-8", "surrogateescape"),
        )

    def _or_timeout(self, option: str) -> float:
        return float(self["timeout"] if self[option] is None else self[option])
