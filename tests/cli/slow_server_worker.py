"""``twistd tlsdemo --workers`` as real processes under a real load."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from tests.support import certificates
from tlsdemo.cli.launched_server import LaunchedServer
from tlsdemo.loadgen.status_client import StatusClient
from tlsdemo.net.child_process import ChildProcess

HANDSHAKES = "tlsdemo_handshake_duration_seconds_count"


class ServerWorkers(TestCase):
    timeout = 120

    async def test_two_workers_serve_on_one_port_and_a_dead_one_is_replaced(self) -> None:
        certs = f"--certs={certificates().authority.parent.parent}"
        server = LaunchedServer(
            reactor, ["--workers=2", "--role=sink", "--interval=1", certs], pages=True
        )
        await server.start()
        self.addCleanup(server.stop)
        # Whether they are ready or not, it has them load their certificates.
        os.kill(server.pid, signal.SIGHUP)
        workers = children(server.pid)
        self.assertEqual(len(workers), 2)
        self.assertIn("60 secured", await self.load(server, certs))
        self.assertEqual(ask(server.web, "/readyz"), "ready\n")
        # A busy worker is asked less often: what it has told may be some seconds old.
        while (before := counters(ask(server.web, "/metrics")))[HANDSHAKES] < 60:
            await deferLater(reactor, 0.05, lambda: None)
        self.assertEqual(before[HANDSHAKES], 60)
        os.kill(workers[0], signal.SIGKILL)
        while len(now := children(server.pid)) < 2 or workers[0] in now:
            await deferLater(reactor, 0.05, lambda: None)
        while ask(server.web, "/readyz") != "ready\n":
            await deferLater(reactor, 0.05, lambda: None)
        after = counters(ask(server.web, "/metrics"))
        # The times of the reactor that was killed are lost; what the pages have shown is not.
        self.assertEqual(after[HANDSHAKES], 60)
        self.assertEqual([name for name in before if after[name] < before[name]], [])
        self.assertIn("/connections/2", ask(server.web, "/"))
        self.assertIn("handshakeCompleted", ask(server.web, "/connections/2"))
        self.assertIn("60 secured", await self.load(server, certs))
        status: Any = StatusClient(reactor, server.status)
        snapshot = await status.snapshot()
        status.close()
        self.assertEqual(snapshot.failures, 0)
        self.assertGreater(snapshot.secured, 60)
        log = await server.stop()
        for worker in now:
            self.assertRaises(ProcessLookupError, os.kill, worker, 0)
        self.assertIn("worker 1 ended by signal 9", log)
        # The counters of the one that was killed are as old as the last line of statistics.
        self.assertIn(" 0 open when it was stopped", log)

    async def load(self, server: LaunchedServer, certs: str) -> str:
        """Put load on the server, and return what the client says."""
        command = [
            *(sys.executable, "-m", "tlsdemo.cli.twistd_child", "-n", "--pidfile=", "tlsclient"),
            *(f"--connect={server.connect}", f"--status={server.status}", certs),
            *("--conn=60", "--packets=5"),
        ]
        client = ChildProcess(reactor, command, timeout=60)
        self.assertEqual(await client.wait(), 0, client.output)
        return client.output


def ask(socket_path: str, page: str) -> str:
    """Return a page of the server whose pages are at a UNIX socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(socket_path)
        request = f"GET {page} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        connection.sendall(request.encode())
        received = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return received.partition(b"\r\n\r\n")[2].decode()


def counters(metrics: str) -> dict[str, float]:
    """Return the counters of the server by name, over all labels; without those of processes."""
    found: dict[str, float] = {}
    for name, value in re.findall(
        r"^(tlsdemo_\w+_(?:total|count|sum))\{.*\} (\S+)$", metrics, re.M
    ):
        found[name] = found.get(name, 0.0) + float(value)
    return found


def children(parent: int) -> list[int]:
    """Return the process IDs of the children of a process."""
    with open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as found:
        return [int(each) for each in found.read().split()]
