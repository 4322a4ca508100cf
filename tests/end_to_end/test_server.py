"""``twistd tlsdemo``, as it starts or fails to."""

from __future__ import annotations

import re
import socket
from datetime import timedelta
from pathlib import Path

import trustme

from tests.end_to_end.processes import ProcessCase
from tests.support import certificates, now


class CannotStart(ProcessCase):
    def one_line(self, *options: str) -> str:
        server = self.twistd("tlsdemo", "--listen=unix:listen", "--status=none", *options)
        self.assertEqual(server.wait(), 2)
        self.assertEqual(server.output.count("\n"), 1, server.output)
        self.assertEqual([path.name for path in self.home.iterdir() if "twistd" in path.name], [])
        return server.output

    def expired(self) -> tuple[Path, Path]:
        day = timedelta(days=1)
        leaf = trustme.CA().issue_cert(
            "localhost", not_before=now() - 3 * day, not_after=now() - day
        )
        paths = self.home / "expired.pem", self.home / "expired.key"
        paths[0].write_bytes(leaf.cert_chain_pems[0].bytes())
        paths[1].write_bytes(leaf.private_key_pem.bytes())
        return paths

    def test_with_a_missing_certificate(self) -> None:
        error = self.one_line("--cert=missing.pem", f"--key={certificates().server.key}")
        missing = self.home / "missing.pem"
        self.assertEqual(
            error,
            f"twistd tlsdemo: certificate '{missing}' cannot be read: No such file or directory\n",
        )

    def test_with_an_expired_certificate(self) -> None:
        certificate, key = self.expired()
        error = self.one_line(f"--cert={certificate}", f"--key={key}")
        self.assertIn(f"certificate '{certificate}' expired on ", error)

    def test_with_a_key_that_does_not_match(self) -> None:
        server, client = certificates().server, certificates().client
        error = self.one_line(f"--cert={server.certificate}", f"--key={client.key}")
        self.assertIn(f"key '{client.key}' does not match", error)


class APortInUse(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(taken.close)
        where = f"tcp:{taken.getsockname()[1]}:interface=127.0.0.1"
        self.arguments = ["tlsdemo", f"--listen={where}", "--status=none", self.certs]
        self.problem = f"cannot listen on {where}: Address already in use"

    def problems(self, text: str) -> list[str]:
        self.assertNotIn("Traceback", text)
        return [line for line in text.splitlines() if not re.search("#info|starting on", line)]

    def test_in_the_foreground_is_one_line_and_leaves_nothing_behind(self) -> None:
        server = self.twistd("-n", *self.arguments)
        self.assertEqual(server.wait(), 1)
        (line,) = self.problems(server.output)
        self.assertTrue(line.endswith(f"[tlsdemo#critical] {self.problem}"), line)
        self.assertEqual(list(self.home.iterdir()), [])

    def test_is_reported_on_the_terminal_and_in_the_log_of_a_daemon(self) -> None:
        server = self.twistd(*self.arguments)
        self.assertEqual(server.wait(), 1)
        first, *more = server.output.splitlines()
        self.assertIn(f"StartFailed: {self.problem}", first)
        self.assertEqual(more, ["Please look at log file for more information."])
        (line,) = self.problems((self.home / "twistd.log").read_text())
        self.assertTrue(line.endswith(f"[tlsdemo#critical] {self.problem}"), line)
