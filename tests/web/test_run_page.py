"""``tlsdemo run --web``, and its page in a real browser."""

from __future__ import annotations

import signal
import sys
import urllib.request

from tests.end_to_end.processes import TIMEOUT
from tests.web.browser import BrowserCase


class RunPage(BrowserCase):
    def test_shows_the_modes_side_by_side_and_stays_until_it_is_interrupted(self) -> None:
        run = self.start(
            *(sys.executable, "-m", "tlsdemo", "run", "--web", "--workers=1", "--conn=5"),
            *("--duration=1", self.certs),
        )
        self.page = run.wait_for_line(r"the live page is at (http://\S+)")[1]
        self.show()
        found = run.wait_for_line(r"the live page stays at (http://\S+) until Ctrl-C")[1]
        self.assertEqual(found, self.page)
        self.wait_for("document.querySelectorAll('thead th').length === 2")
        self.wait_for("document.querySelectorAll('.chart canvas').length === 7")
        last = "document.querySelector(\"td[data-series='pair'][data-figure='{}']\").textContent"
        self.wait_for(f"{last.format('phase')} === 'over'")
        self.wait_for(f"{last.format('clean')} === '5'")
        for mode in ("starttls", "pair"):
            cells = {
                name: self.text(f"td[data-series='{mode}'][data-figure='{name}']")
                for name in ("phase", "clients secured", "secured", "clean")
            }
            expected = {"phase": "over", "clients secured": "5", "secured": "5", "clean": "5"}
            self.assertEqual(cells, expected, mode)
            received = self.text(f"td[data-series='{mode}'][data-figure='bytes_in']")
            sent = self.text(f"td[data-series='{mode}'][data-figure='cleartext sent']")
            self.assertEqual(received, sent)
        self.assert_accessible()
        self.assert_no_complaints()
        run.signal(signal.SIGINT)
        self.assertEqual(run.wait(), 0, run.output)
        self.assertRaises(OSError, urllib.request.urlopen, self.page, timeout=TIMEOUT)
