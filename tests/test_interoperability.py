"""What the tests in interop/ declare, and the page that is made from what they have seen."""

from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from interop.attempts import Part, attempts, tried
from interop.page import Seen, render
from tests.test_architecture import ROOT
from tlsdemo.tls import ModeName

IMAP = Part("proxy", "imap", "starttls")
PAIR = IMAP._replace(mode="pair")


def table(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| ")][2:]


class PageTests(SynchronousTestCase):
    def render(self, *seen: Seen) -> str:
        return render(seen, {"curl": "8.1", "Dovecot": "2.3"}, "Seen with these versions.")

    def test_a_row_has_the_peers_with_their_versions_and_all_modes(self) -> None:
        page = self.render(Seen("a", "fetches", ("curl", "Dovecot"), (PAIR, IMAP)))
        self.assertIn("\nSeen with these versions.\n", page)
        self.assertEqual(
            table(page), ["| imap | proxy | starttls, pair | curl 8.1, Dovecot 2.3 | fetches |"]
        )

    def test_tests_that_do_the_same_share_a_row_and_each_dialect_has_its_own(self) -> None:
        pop3 = Part("proxy", "pop3", "starttls")
        page = self.render(
            Seen("a", "fetches", ("curl",), (pop3, IMAP)), Seen("b", "fetches", ("curl",), (PAIR,))
        )
        self.assertEqual(
            table(page),
            [
                "| imap | proxy | starttls, pair | curl 8.1 | fetches |",
                "| pop3 | proxy | starttls | curl 8.1 | fetches |",
            ],
        )

    def test_every_mode_has_its_place(self) -> None:
        parts = tuple(Part("proxy", "imap", mode.value) for mode in reversed(ModeName))
        (row,) = table(self.render(Seen("a", "fetches", (), parts)))
        self.assertIn("| starttls, pair, wrapped, clear |", row)

    def test_a_bar_does_not_end_a_cell(self) -> None:
        (row,) = table(self.render(Seen("a", "this | that", (), (IMAP,))))
        self.assertEqual(row, r"| imap | proxy | starttls | a script | this \| that |")

    def test_what_was_skipped_is_listed_with_the_reason_and_not_as_done(self) -> None:
        page = self.render(Seen("a", "fetches", ("curl",), (IMAP,), "there is no curl"))
        before, _, after = page.partition("Not tried, because something was missing:")
        self.assertEqual(table(before), [])
        self.assertEqual(table(after), ["| fetches | there is no curl |"])
        self.assertNotIn("Not tried", self.render())


class DeclarationTests(SynchronousTestCase):
    def test_every_test_says_what_it_does(self) -> None:
        silent = [name for name, attempt in attempts().items() if attempt is None]
        self.assertEqual(silent, [], "declare it by @tried, see interop/README.md")

    def test_a_peer_must_be_in_the_catalogue(self) -> None:
        self.assertRaises(KeyError, tried, "fetches", "nobody")

    def test_the_page_says_nothing_that_no_test_does(self) -> None:
        page = (ROOT / "docs" / "interoperability.md").read_text(encoding="utf-8")
        declared = {attempt.what for attempt in attempts().values() if attempt is not None}
        rows = re.findall(r"^\| .* \| (.*) \|$", page.partition("Not tried")[0], re.MULTILINE)
        self.assertGreater(len(rows), 100)
        gone = set(rows[2:]) - declared
        self.assertEqual(gone, set(), "write docs/interoperability.md anew: make interop")
