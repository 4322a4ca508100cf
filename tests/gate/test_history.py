from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.gate.changes import Change
from tlsdemo.gate.further_reading import finding_of
from tlsdemo.gate.history import history
from tlsdemo.gate.verdict import Verdict

FINDING = Change("findings", "no-resumption", "still so", "not yet so")
ALPN = Change(
    "stock",
    "server",
    "a",
    "b | internal error",
    ("x 1.3 ALPN only offered y", "x ALPN only offered"),
)
OTHER = Change("stock", "client", "a", "c", ("x",))


def verdict(name: str, *changes: Change) -> Verdict:
    return Verdict(name, {"Twisted": "3"}, {}, changes, [], "")


class Explanations(SynchronousTestCase):
    def test_a_finding_explains_only_the_events_that_it_is_about(self) -> None:
        name = "handshake-completed-though-wrong-name"
        cells = ("x 1.3 wrong name y",)
        self.assertEqual(
            finding_of(Change("stock", "client", "handshakeCompleted", "", cells)), name
        )
        self.assertEqual(finding_of(Change("stock", "client", "tls alert", "alert", cells)), "")

    def test_a_client_that_lost_its_alpn_is_not_explained_by_a_server_that_refuses_it(self) -> None:
        cells = ("client with ALPN 1.3 no ALPN in common y",)
        lost = Change("stock", "client", "secure negotiated=h2", "secure negotiated=None", cells)
        self.assertEqual(finding_of(lost), "")
        refused = Change("events", "server", "connectionLost Error", "handshakeCompleted", cells)
        self.assertEqual(finding_of(refused), "alpn-kills-handshake")


class ThePage(SynchronousTestCase):
    def test_has_a_row_for_what_the_rows_above_do_not_have(self) -> None:
        page = history([verdict("3"), verdict("2", ALPN), verdict("1", ALPN, FINDING, OTHER)])
        first, *_, one, two, three, four = page.splitlines()
        self.assertTrue(first.startswith("Compared with Twisted 3."))
        self.assertEqual(one, "| 3 | nothing more |  |  |  |")
        alpn = "[alpn-kills-handshake](findings.md#alpn-kills-handshake)"
        self.assertEqual(two, rf"| 2 | {alpn} | 2 | b \| internal error | a |")
        resumption = "[no-resumption](findings.md#no-resumption)"
        self.assertEqual(three, f"| 1 | {resumption} |  | not yet so | still so |")
        self.assertEqual(four, "| 1 | stock, client | 1 | c | a |")

    def test_no_candidates(self) -> None:
        self.assertIn("| with |", history([]))
