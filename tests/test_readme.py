"""What README.md shows is what one gets."""

from __future__ import annotations

import re
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tests.test_architecture import ROOT
from tests.test_docs import blocks, read
from tlsdemo.lab.findings.finding_catalogue import FINDINGS
from tlsdemo.reporting.comparison_table import ROWS
from tlsdemo.testing import SSLPeer, StartTLSTransport, pump


class Samples(SynchronousTestCase):
    """`make check-docs` runs the commands and compares their words; this is what takes no time."""

    def test_of_a_load_has_the_rows_of_the_table(self) -> None:
        (sample,) = blocks(read("README.md"), "text")
        rows = re.findall(r"^│ (.*?) +│ +(\S+) │ +(\S+) │$", sample, re.MULTILINE)
        self.assertEqual([row[0] for row in rows], [name for name, _ in ROWS])
        self.assertRegex(sample, r"┃ +┃ +starttls ┃ +pair ┃")

    def test_of_findings_counts_them_all(self) -> None:
        shown = re.findall(r"^\d+ of (\d+) differ|^(\d+) alike", read("docs/compare.md"), re.M)
        (every, _), (_, alike) = shown
        self.assertEqual(int(every), len(FINDINGS))
        more = re.search(r"`tlsdemo findings` has (\d+) more", read("README.md"))
        assert more is not None
        self.assertEqual(int(more[1]), len(FINDINGS) - 1)
        self.assertLess(int(alike), len(FINDINGS))


class TheProgram(SynchronousTestCase):
    def setUp(self) -> None:
        (source,) = blocks(read("README.md"), "python")
        # The files are those of somebody who has a certificate.
        source = source.replace('"server.pem"', "own.certificate")
        source = source.replace('"server.key"', "own.key")
        self.printed: list[str] = []
        names: dict[str, Any] = {
            "own": certificates().server,
            "print": lambda *words: self.printed.append(" ".join(map(str, words))),
        }
        exec(compile(source, str(ROOT / "README.md"), "exec"), names)
        self.transport = StartTLSTransport(names["Server"](), clock=Clock())
        self.transport.connect()

    def test_secures_a_connection(self) -> None:
        self.transport.deliver(b"STARTTLS\r\n")
        self.assertEqual(self.transport.take(), b"go ahead\r\n")
        pump(self.transport, SSLPeer.client())
        self.assertEqual(self.printed, ["you may trust TLSv1.3"])

    def test_refuses_what_was_injected(self) -> None:
        self.transport.deliver(b"STARTTLS\r\ninjected\r\n")
        self.assertRegex("".join(self.printed), "^you may not: injected plaintext: 10 bytes")
