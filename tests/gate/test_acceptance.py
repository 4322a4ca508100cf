from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.gate.acceptance import Acceptance, BadAcceptance
from tlsdemo.gate.changes import Change

CHANGE = Change("events", "server", "a", "b", ("one", "two"))


class AcceptedChanges(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())

    def test_a_file_that_does_not_exist_accepts_nothing(self) -> None:
        self.assertFalse(Acceptance.read(self.path).accepts(CHANGE))

    def test_what_is_written_is_accepted_and_reasons_are_kept(self) -> None:
        accepted = Acceptance()
        accepted.add([CHANGE])
        self.path.write_text(accepted.text().replace('"reason": ""', '"reason": "as planned"'))
        again = Acceptance.read(self.path)
        self.assertTrue(again.accepts(CHANGE))
        again.add([replace(CHANGE, cells=("three",))])
        self.assertEqual(again.cells[CHANGE.key], ["one", "two", "three"])
        self.assertIn("as planned", again.text())

    def test_a_new_connection_or_another_change_is_not_accepted(self) -> None:
        accepted = Acceptance()
        accepted.add([CHANGE])
        self.assertFalse(accepted.accepts(replace(CHANGE, cells=("one", "three"))))
        self.assertFalse(accepted.accepts(replace(CHANGE, candidate="c")))

    def test_a_cost_is_accepted_with_a_signature_that_is_longer(self) -> None:
        accepted = Acceptance()
        cost = Change("costs", "bytes that a server sends", "1021 B", "2300 B", ("one",))
        accepted.add([cost])
        self.assertTrue(accepted.accepts(replace(cost, baseline="1022 B", candidate="2299 B")))
        self.assertFalse(accepted.accepts(replace(cost, candidate="2600 B")))

    def test_files_that_are_something_else(self) -> None:
        entry = {"change": "a", "cells": ["b"], "reason": ""}
        wrong = [{**entry, "cells": "b"}, {**entry, "cells": [1]}, {**entry, "reason": None}]
        for text in (
            *("[", "[]", '{"accepted": [{}]}', '{"accepted": 1}'),
            *(json.dumps({"accepted": [each]}) for each in wrong),
        ):
            self.path.write_text(text)
            problem = self.assertRaises(BadAcceptance, Acceptance.read, self.path)
            self.assertIn("is no file from --accept-new", str(problem))

    def test_a_file_that_cannot_be_read(self) -> None:
        self.path.mkdir()
        problem = self.assertRaises(BadAcceptance, Acceptance.read, self.path)
        self.assertIn("cannot be read: Is a directory", str(problem))
