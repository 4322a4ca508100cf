"""gnutls-cli upgrades in every dialect that it knows, in both modes that upgrade."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import Any

from interop.attempts import tried
from interop.peers import InteropCase, program
from interop.test_s_client import PAYLOAD
from tests.end_to_end.processes import TIMEOUT
from tests.support import certificates

DIALECTS = ("smtp", "lmtp", "imap", "pop3", "ftp", "ldap", "xmpp", "nntp", "sieve", "postgres")


class GnuTLSTests(InteropCase):
    def is_echoed(self, mode: str, dialect: str) -> None:
        gnutls_cli, client = program("gnutls-cli", "gnutls-bin"), certificates().client
        self.running, port = self.tlsdemo_server(
            "--role=echo", f"--dialect={dialect}", f"--mode={mode}"
        )
        process = subprocess.Popen(
            [
                *(gnutls_cli, f"--starttls-proto={dialect}", f"--port={port}", "localhost"),
                *(f"--x509cafile={client.authority}", f"--x509certfile={client.certificate}"),
                *(f"--x509keyfile={client.key}", f"--logfile={self.home / 'log'}"),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.addCleanup(process.kill)
        assert process.stdin is not None and process.stdout is not None
        with process.stdin, process.stdout:
            process.stdin.write(PAYLOAD)
            process.stdin.flush()
            self.assertEqual(process.stdout.read(len(PAYLOAD)), PAYLOAD)
            process.stdin.close()
            process.stdout.read()
        process.wait(TIMEOUT)
        self.running.wait_for_line(" secure agreed=.*TLSv1.3.*peer=")
        self.assert_all_closed_cleanly(1)


def _test(mode: str, dialect: str) -> Callable[[Any], None]:
    @tried(f"`--starttls-proto={dialect}`: 40,000 bytes are echoed", "gnutls-cli")
    def test(case: Any) -> None:
        case.is_echoed(mode, dialect)

    return test


for _mode in ("starttls", "pair"):
    for _dialect in DIALECTS:
        _name = f"test_{_dialect}_upgrades_and_its_bytes_are_echoed_in_mode_{_mode}"
        setattr(GnuTLSTests, _name, _test(_mode, _dialect))
