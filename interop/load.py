"""The load generator before a foreign server, and what both have counted."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

from interop.peers import InteropCase
from tests.end_to_end.processes import TIMEOUT, TWISTD


class LoadCase(InteropCase):
    """Puts loads of a second on a server; ``load`` returns the client's counters."""

    def load(
        self, port: int, *options: str, dialect: str = "immediate", truncated: bool = False
    ) -> Any:
        """Return the counters of a load of which every connection has ended in order.

        ``truncated``: or rather, without the close_notify that the scenario demands.
        """
        mode = "wrapped" if dialect == "immediate" else "starttls"
        self.note("client", f"--mode={mode}", dialect=dialect)
        result = Path(self.home, "result.json")
        client = self.start(
            *(*TWISTD, "tlsclient", f"--connect=tcp:localhost:{port}", f"--dialect={dialect}"),
            *("--conn=4", "--duration=1", "--workers=1", "--status=none", "--quiet"),
            *(f"--mode={mode}", f"--json={result}", self.certs, *options),
        )
        status = client.wait()
        self.assertEqual(status, int(truncated), client.output)
        (run,) = json.loads(result.read_text())["runs"]
        counters = run["counters"]
        begun = counters["begun"]
        self.assertGreater(begun, 0)
        failed = {"truncated": begun} if truncated else {}
        self.assertEqual((counters["secured"], counters["failed"]), (begun, failed), client.output)
        return counters

    def answered(self, port: int, *options: str, dialect: str = "immediate") -> Any:
        """Return the counters of a load whose every message was answered."""
        counters = self.load(port, *options, dialect=dialect)
        self.assertGreater(counters["answered"], 0)
        self.assertEqual(counters["answered"], counters["packets"])
        return counters

    def seen(self, log: Path, pattern: str, count: int) -> list[Any]:
        """Wait until a log has as many matches of ``pattern``; fail unless there are so many."""
        end = time.monotonic() + TIMEOUT / 2
        found: list[Any] = []
        while len(found) < count and time.monotonic() < end:
            time.sleep(0.05)
            found = re.findall(pattern, log.read_text(errors="replace"))
        self.assertEqual(len(found), count, (pattern, log.read_text(errors="replace")[-2000:]))
        return found
