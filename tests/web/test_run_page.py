"""``tlsdemo run --web``, and its page in a real browser."""

from __future__ import annotations

import json
import signal
import sys
import urllib.request

from tests.end_to_end.processes import TIMEOUT
from tests.web.browser import BrowserCase


class RunPage(BrowserCase):
    def test_shows_the_modes_side_by_side_and_stays_until_it_is_interrupted(self) -> None:
        run = self.start(
            *(sys.executable, "-m", "tlsdemo", "run", "--web", "--workers=1", "--conn=5"),
            *("--duration=0.3", "--json=results", self.certs),
        )
        self.page = run.wait_for_line(r"the live page is at (http://\S+)")[1]
        self.show()
        found = run.wait_for_line(r"the live page stays at (http://\S+) until Ctrl-C")[1]
        self.assertEqual(found, self.page)
        self.wait_for("document.querySelectorAll('#server thead th').length === 2")
        self.wait_for("document.querySelectorAll('.chart canvas').length === 7")
        last = "document.querySelector(\"td[data-series='pair'][data-figure='{}']\").textContent"
        self.wait_for(f"{last.format('phase')} === 'over'")
        # The server also counts the connection of the probe.
        self.wait_for(f"{last.format('clean')} === '6'")
        results = json.loads((self.home / "results").read_text())
        measured = {each["mode"]: each["probe"]["measured"] for each in results["runs"]}
        for mode in ("starttls", "pair"):
            expected = {
                "phase": "over",
                "clients secured": "5",
                "secured": "6",
                "clean": "6",
                **{f"{step} measured": "5" for step in ("connect", "handshake", "confirmed")},
                "probe measured": f"{measured[mode]:,}",
            }
            self.assertEqual({name: self.cell(mode, name) for name in expected}, expected, mode)
            for name in ("handshake p50", "confirmed p90", "probe p99"):
                self.assertRegex(self.cell(mode, name), r"^[\d.]+ (ms|s)$")
        for width, scheme in ((400, "dark"), (1280, "light")):
            self.show(width=width, scheme=scheme)
            self.wait_for("document.querySelectorAll('.chart canvas').length === 7")
            self.assert_accessible()
        self.assert_no_complaints()
        run.signal(signal.SIGINT)
        self.assertEqual(run.wait(), 0, run.output)
        self.assertRaises(OSError, urllib.request.urlopen, self.page, timeout=TIMEOUT)

    def cell(self, mode: str, figure: str) -> str:
        return self.text(f"td[data-series='{mode}'][data-figure='{figure}']")
