from __future__ import annotations

import json
import os
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.testing.pins.protocols import Line, Listening, factory_of, wrapped
from tlsdemo.testing.pins import UPDATE, BadPin, EventPins, Pin, Subject, check, observe_in_memory
from tlsdemo.trace.model import Mark


def seen(scenario: str = "ok", **more: bytes) -> Pin:
    return Pin(observe_in_memory(Subject(wrapped, **more), scenario))  # type: ignore[arg-type]


class Pins(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "pins" / "ok.json"

    def test_what_is_written_is_read(self) -> None:
        subject = Subject(lambda: factory_of(Line), dialect="line")
        pin = Pin(observe_in_memory(subject, "silent in the handshake"))
        pin.write(self.path)
        read = Pin.read(self.path)
        self.assertEqual(read.differing(pin), [])
        self.assertEqual((read.trace.title, read.trace.facts), (pin.trace.title, pin.trace.facts))
        self.assertEqual(read.versions, pin.versions)
        self.assertEqual(read.trace.seen[-1].at, 30)

    def test_has_a_line_for_each_event_and_no_lengths(self) -> None:
        seen().write(self.path)
        text = self.path.read_text()
        self.assertIn('\n  {"at": 0.0, "end": "server", "event": "connectionMade"},\n'
                      .replace('"at": 0.0, ', ""), text)  # fmt: skip
        self.assertNotIn("length", text)

    def test_other_versions_make_no_difference(self) -> None:
        Pin(seen().trace, {"Twisted": "1.0"}).write(self.path)
        self.assertEqual(check(seen(), self.path, update=True), "")
        self.assertEqual(Pin.read(self.path).versions, {"Twisted": "1.0"})

    def test_a_missing_pin_is_only_written_on_request(self) -> None:
        self.assertIn("there is no pin", check(seen(), self.path, update=False))
        self.assertFalse(self.path.exists())
        self.assertEqual(check(seen(), self.path, update=True), "")
        self.assertEqual(check(seen(), self.path, update=False), "")

    def test_the_environment_asks_for_it_as_well(self) -> None:
        self.patch(os, "environ", {**os.environ, UPDATE: "1"})
        self.assertEqual(check(seen(), self.path), "")
        self.assertTrue(self.path.exists())

    def test_a_difference_is_shown_as_two_diagrams(self) -> None:
        Pin(seen().trace, {"Twisted": "1.0"}).write(self.path)
        problem = check(seen("EOF after the handshake"), self.path, update=False)
        first, *lines, last = problem.splitlines()
        self.assertEqual(
            first,
            "EOF after the handshake, server: what it was told and what it sent and what its peer "
            f"saw is not as pinned in {self.path}, which is a pin of 'ok'",
        )
        self.assertEqual(lines[0], "- pinned with Twisted 1.0")
        self.assertTrue(lines[1].startswith("+ seen with Python "))
        self.assertTrue(any(line.startswith("- ") and "ConnectionDone" in line for line in lines))
        self.assertTrue(any(line.startswith("+ ") and "ConnectionLost" in line for line in lines))
        self.assertFalse(any(line.startswith("?") for line in lines))
        self.assertIn("commit the file", last)

    def test_a_difference_is_written_on_request(self) -> None:
        seen().write(self.path)
        self.assertEqual(check(seen("truncation"), self.path, update=True), "")
        self.assertEqual(Pin.read(self.path).trace.title, "EOF after the handshake")

    def test_files_that_are_no_pins(self) -> None:
        self.path.parent.mkdir(parents=True)
        head = {"pinned": "server", "dialect": "line", "tls": "1.3", "scenario": "", "versions": {}}
        for text, problem in (
            ("[", "is no pin; to write it anew, run the tests with TLSDEMO_UPDATE_PINS=1, or"),
            ("[]", "is no pin"),
            ('{"pin": 2}', "has format 2, not 1"),
            (json.dumps({**head, "pin": 1, "seen": [], "pinned": "nobody"}), "is no pin"),
            (json.dumps({**head, "pin": 1, "seen": [{"event": "x"}]}), "is no pin"),
        ):
            self.path.write_text(text)
            self.assertIn(problem, str(self.assertRaises(BadPin, check, seen(), self.path, False)))
        self.assertEqual(check(seen(), self.path, update=True), "")

    def test_a_folder_that_cannot_be_written_to(self) -> None:
        self.path.parent.parent.mkdir()
        self.path.parent.touch()
        for pin in (self.path, self.path.parent / "more" / "ok.json"):
            problem = self.assertRaises(BadPin, check, seen(), pin, update=True)
            self.assertIn(f"{pin} cannot be written: ", str(problem))

    def test_a_pin_of_another_test_is_named(self) -> None:
        seen("ok").write(self.path)
        first, *_ = check(seen("truncation"), self.path, update=False).splitlines()
        self.assertIn(f" is not as pinned in {self.path}, which is a pin of 'ok'", first)

    def test_the_ends_of_lines_make_no_difference(self) -> None:
        pin = seen()
        pin.write(self.path)
        self.path.write_bytes(self.path.read_bytes().replace(b"\n", b"\r\n"))
        self.assertEqual(check(pin, self.path, update=False), "")

    def test_a_file_that_cannot_be_read(self) -> None:
        self.path.mkdir(parents=True)
        problem = self.assertRaises(BadPin, Pin.read, self.path)
        self.assertIn("cannot be read: Is a directory", str(problem))


class TheMixin(EventPins, SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()).absolute()

    def test_compares_with_the_file(self) -> None:
        self.assertRaises(AssertionError, self.assertEvents, wrapped, "ok", self.path)
        self.assertIsNone(self.assertEvents(wrapped, "ok", self.path, update=True))
        self.assertEvents(wrapped, "ok", self.path)
        self.assertRaises(
            AssertionError, self.assertEvents, lambda: wrapped(Listening), "ok", self.path
        )

    def test_a_file_beside_the_module(self) -> None:
        problem = self.assertRaises(AssertionError, self.assertEvents, wrapped, "ok", "no.json")
        self.assertIn(str(Path(__file__).parent / "no.json"), str(problem))

    def test_a_file_that_is_no_pin(self) -> None:
        self.path.write_text("")
        problem = self.assertRaises(AssertionError, self.assertEvents, wrapped, "ok", self.path)
        self.assertIn("is no pin", str(problem))

    def test_events_have_no_times_of_the_day(self) -> None:
        marks = [each for each in seen().trace.seen if isinstance(each, Mark)]
        self.assertEqual({mark.at for mark in marks}, {0})


class TheMixinOnLoopback(EventPins, TestCase):
    def test_returns_a_deferred(self) -> Deferred[None]:
        path = Path(self.mktemp()).absolute()
        self.assertEvents(wrapped, "ok", path, update=True)
        compared = self.assertEvents(wrapped, "ok", path, reactor=reactor)
        assert compared is not None
        return compared
