from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.scan.rule_catalogue import RULES
from tlsdemo.scan.sarif import sarif
from tlsdemo.scan.scanner import Hit


class TheDocument(SynchronousTestCase):
    def test_names_the_place_and_the_rule(self) -> None:
        hit = Hit("a b/ü.py", 3, 5, "unverified-server", "it verifies nothing")
        (run,) = sarif([hit], RULES, [])["runs"]
        (result,) = run["results"]
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        self.assertEqual(rule["id"], "unverified-server")
        place = result["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "a%20b/%C3%BC.py")
        self.assertEqual(place["region"], {"startLine": 3, "startColumn": 5})
        # The columns of the scan are characters.
        self.assertEqual(run["columnKind"], "unicodeCodePoints")
        self.assertIn("it verifies nothing. ", result["message"]["text"])
        self.assertTrue(run["invocations"][0]["executionSuccessful"])

    def test_says_what_could_not_be_read(self) -> None:
        (run,) = sarif([], RULES, ["'a.py': no"])["runs"]
        (invocation,) = run["invocations"]
        self.assertFalse(invocation["executionSuccessful"])
        notes = invocation["toolExecutionNotifications"]
        self.assertEqual(notes[0]["message"]["text"], "'a.py': no")

    def test_of_an_absolute_path_has_a_url(self) -> None:
        (run,) = sarif([Hit("/a.py", 1, 1, "private-tls-name", "x")], RULES, [])["runs"]
        place = run["results"][0]["locations"][0]["physicalLocation"]
        self.assertEqual(place["artifactLocation"]["uri"], "file:///a.py")
