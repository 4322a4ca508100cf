"""``--scenario=readiness`` against real servers, over sockets."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path
from typing import Any

from tests.end_to_end.known_server import KnownServer
from tests.end_to_end.processes import ProcessCase
from tlsdemo.tls.groups import CAN_SET_GROUPS
from tlsdemo.tls.policy import DEFAULT_GROUPS

HAS_HYBRID = "MLKEM" in DEFAULT_GROUPS
NOT_TESTED = (
    *(() if HAS_HYBRID else ("cut at 512", "cut at 1400")),
    *(() if CAN_SET_GROUPS else ("HelloRetryRequest",)),
)
"""The checks that this OpenSSL, or this pyOpenSSL, cannot make."""


class ReadsOnce(KnownServer):
    """Believes that its first read has the whole ClientHello."""

    def _serve(self, accepted: socket.socket) -> None:
        first = accepted.recv(1 << 16, socket.MSG_PEEK)
        if len(first) < 5 or len(first) < 5 + int.from_bytes(first[3:5], "big"):
            accepted.close()
        else:
            super()._serve(accepted)


class ReadinessCase(ProcessCase):
    def readiness(self, *options: str) -> tuple[int, dict[str, Any]]:
        """Return the exit status, and the checks by their names."""
        command = self.twistd(
            *("tlsclient", "--server-name=localhost", "--scenario=readiness", self.certs),
            *("--json=result.json", *options),
        )
        status = command.wait()
        checks = json.loads(Path(self.home, "result.json").read_text())["readiness"]["checks"]
        return status, {each["name"]: each for each in checks}

    def passed(self, *options: str) -> None:
        """Fail unless every check was passed that this OpenSSL can make."""
        status, checks = self.readiness(*options)
        verdicts = {name: each["verdict"] for name, each in checks.items()}
        expected = dict.fromkeys(verdicts, "passed") | dict.fromkeys(NOT_TESTED, "not tested")
        self.assertEqual((verdicts, status), (expected, 1 if NOT_TESTED else 0))


class OurServer(ReadinessCase):
    def test_passes_every_check_in_every_mode(self) -> None:
        for mode, dialects in (
            ("starttls", ("immediate", "smtp")),
            ("pair", ("immediate", "postgres")),
            ("wrapped", ("immediate",)),
        ):
            for dialect in dialects:
                server, where = self.server(
                    "--role=echo", f"--mode={mode}", f"--dialect={dialect}", "--status=none"
                )
                self.passed(f"--connect={where}", f"--dialect={dialect}")
                server.signal(signal.SIGTERM)
                server.wait()


class PlantedServers(ReadinessCase):
    def test_one_that_reads_the_hello_once_is_found(self) -> None:
        server = ReadsOnce()
        self.addCleanup(server.stop)
        status, checks = self.readiness(server.connect)
        cuts = {name: each for name, each in checks.items() if name.startswith("cut at")}
        made = {name: each for name, each in cuts.items() if each["cut"]}
        self.assertEqual(status, 1)
        self.assertGreaterEqual(len(made), 2)
        for each in made.values():
            self.assertEqual((each["verdict"], each["cause"]), ("failed", "handshake interrupted"))
        for name, each in checks.items():
            if name not in cuts:
                expected = "not tested" if name in NOT_TESTED else "passed"
                self.assertEqual(each["verdict"], expected, name)
