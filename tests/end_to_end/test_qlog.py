"""The qlog file of a real server follows its schema."""

from __future__ import annotations

import signal
import socket
import sys
from typing import Any

from tests.end_to_end.processes import TIMEOUT, ProcessCase, port_of
from tests.test_tap_reload import EchoClient
from tests.trace.qlog_schema import problem_of, texts


class AFile(ProcessCase):
    def trace(self, *options: str) -> list[Any]:
        """What a server writes of a good connection, of garbage, and of nothing at all."""
        server, where = self.server(
            *("--trace=trace", "--trace-format=qlog", "--role=echo", "--drain-timeout=1"),
            *("--log-every=1", *options),
        )
        client = EchoClient(where)
        self.assertTrue(client.echoes(b"hello"))
        client.close()
        address = ("127.0.0.1", port_of(where))
        with socket.create_connection(address, timeout=TIMEOUT) as garbage:
            garbage.sendall(b"no TLS at all\r\n")
            garbage.settimeout(TIMEOUT)
            while garbage.recv(1000):
                pass
        socket.create_connection(address, timeout=TIMEOUT).close()
        for _ in range(3):
            server.wait_for_line(r" (drained|insecure)")
        server.signal(signal.SIGTERM)
        server.wait()
        return texts((self.home / "trace").read_text(encoding="utf-8"))

    def check(self, found: list[Any], connections: int) -> None:
        for text in found:
            self.assertIsNone(problem_of(text))
        header, *events = found
        self.assertIn("file_schema", header)
        self.assertEqual([text for text in events if "time" not in text], [])
        self.assertEqual(len({text["group_id"] for text in events}), connections)

    def test_has_connections_of_all_kinds(self) -> None:
        found = self.trace("--client-auth=none")
        self.check(found, 3)
        names = [text["name"].partition(":")[2] for text in found[1:]]
        for name in ("record_received", "record_sent", "secure", "insecure", "closed"):
            self.assertIn(name, names)
        (secure,) = (text["data"] for text in found[1:] if text["name"] == "tlsdemo:secure")
        self.assertEqual(secure["tls.protocol.version"], "1.3")
        self.assertRegex(secure["tls.cipher"], "^TLS_[A-Z0-9_]+$")

    def test_is_gone_on_with_by_another_start_and_by_workers(self) -> None:
        self.trace("--client-auth=none")
        self.check(self.trace("--client-auth=none", "--workers=2"), 6)

    def test_is_no_file_for_a_sequence_diagram(self) -> None:
        self.trace("--client-auth=none")
        diagram = self.start(sys.executable, "-m", "tlsdemo", "sequence-diagram", "trace")
        self.assertEqual(diagram.wait(), 1)
        self.assertIn("it is qlog; write the trace without --trace-format", diagram.output)
