from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.gate.changes import Change
from tlsdemo.gate.verdict import MOST_SHOWN, Verdict, junit

ALPN = Change("stock", "server", "secure", "Internal_Error", ("a 1.3 ALPN only offered b",))
FINDING = Change("findings", "no-resumption", "still so", "100% <gone>")


def verdict(*changes: Change, accepted: Sequence[Change] = ()) -> Verdict:
    here, there = {"Twisted": "1", "Python": "3"}, {"Twisted": "2", "Python": "3"}
    return Verdict("twisted==2, ./x", here, there, changes, accepted, "do so")


class AsText(SynchronousTestCase):
    def test_nothing_is_said_if_nothing_has_changed(self) -> None:
        self.assertEqual(list(verdict(accepted=[ALPN]).lines()), [])

    def test_says_what_where_and_how_in_three_lines(self) -> None:
        news = "https://github.com/twisted/twisted/blob/trunk/NEWS.rst"
        self.assertEqual(
            list(verdict(ALPN, FINDING).lines()),
            [
                "2 things that an application can notice change with twisted==2, ./x "
                "(Twisted 1 → 2):",
                "",
                "stock, server, in a 1.3 ALPN only offered b: it was secure; it is Internal_Error",
                f"  read on: tlsdemo findings alpn-kills-handshake, {news}",
                "  accept:  do so",
                "",
                "findings, no-resumption: it was still so; it is 100% <gone>",
                f"  read on: tlsdemo findings no-resumption, {news}",
                "  accept:  do so",
            ],
        )

    def test_one_thing_with_the_same_versions(self) -> None:
        unmoved = Verdict("./x", {}, {}, [Change("stock", "server", "a", "b", ("c",))], [], "so")
        first, _, _, where, _ = unmoved.lines()
        self.assertEqual(
            first,
            "1 thing that an application can notice changes with ./x (no version differs):",
        )
        self.assertEqual(where, "  read on: the two sources: the versions are the same")

    def test_shows_only_some_of_many(self) -> None:
        many = verdict(*[FINDING] * (MOST_SHOWN + 2))
        self.assertEqual(list(many.lines())[-1], "2 more; --json or --junit writes all to a file.")
        self.assertEqual(len(list(many.annotations())), MOST_SHOWN + 1)


class ForMachines(SynchronousTestCase):
    def test_json_has_all_of_it(self) -> None:
        fields = verdict(ALPN, accepted=[FINDING]).as_json()
        self.assertEqual([each["change"] for each in fields["changes"]], [ALPN.key])
        self.assertEqual([each["what"] for each in fields["accepted"]], ["no-resumption"])
        self.assertEqual(fields["versions"]["there"]["Twisted"], "2")

    def test_annotations_are_one_line_each(self) -> None:
        (line,) = verdict(FINDING).annotations()
        self.assertTrue(
            line.startswith(
                "::error title=tlsdemo gate%3A twisted==2%2C ./x::findings, no-resumption: "
                "it was still so; it is 100%25 <gone>%0A  read on: "
            ),
            line,
        )

    def test_what_has_no_verdict_is_an_error(self) -> None:
        crashed = replace(FINDING, problem="the reproduction failed: Gone")
        (suite,) = ElementTree.fromstring(junit([verdict(ALPN, crashed)]))
        self.assertEqual([case[0].tag for case in suite], ["failure", "error"])
        self.assertEqual((suite.get("failures"), suite.get("errors")), ("1", "1"))
        *_, line = verdict(crashed).annotations()
        self.assertIn("::twisted==2, ./x: no verdict on the finding no-resumption: the", line)
        self.assertEqual(list(verdict(crashed).lines()), [])

    def test_junit_xml_has_a_test_for_each_change(self) -> None:
        suites = ElementTree.fromstring(junit([verdict(ALPN, accepted=[FINDING]), verdict()]))
        first, second = suites
        self.assertEqual(
            (first.get("tests"), first.get("failures"), first.get("skipped")), ("2", "1", "1")
        )
        self.assertEqual([case[0].tag for case in first], ["failure", "skipped"])
        self.assertEqual([case.get("name") for case in second], ["nothing has changed"])
