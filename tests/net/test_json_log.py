from __future__ import annotations

import io
import json
from typing import Any

from twisted.logger import Logger, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.bounded_log import LONGEST
from tlsdemo.net.json_log import json_log, json_text


class JSONLogTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = io.StringIO()
        self.log = Logger("tlsdemo", observer=json_log(self.stream))

    def line(self) -> Any:
        (line,) = self.stream.getvalue().splitlines()
        self.assertTrue(line.isascii())
        return json.loads(line)

    def test_an_event_is_a_line_with_its_message_and_its_fields(self) -> None:
        self.log.warn("{peer} failed: {cause}", peer="192.0.2.1:5", cause="idle", at=1.5)
        line = self.line()
        self.assertRegex(line.pop("time"), r"^[0-9]{4}-[0-9-]{5}T[0-9:.]{15}[+]00:00$")
        self.assertEqual(
            line,
            {
                "level": "warn",
                "namespace": "tlsdemo",
                "message": "192.0.2.1:5 failed: idle",
                "fields": {"peer": "192.0.2.1:5", "cause": "idle", "at": 1.5},
            },
        )

    def test_what_a_peer_has_chosen_makes_no_second_line(self) -> None:
        self.log.info("{text}", text="a\n{}\x1b\ud800", other=["b\n", ("c\n",), {"d\n": {1}}])
        line = self.line()
        self.assertEqual(line["message"], "a\\n{}\\x1b\\ud800")
        self.assertEqual(line["fields"]["other"], ["b\\n", ["c\\n"], {"d\n": "{1}"}])

    def test_is_bounded(self) -> None:
        self.log.info("{text}", text="x" * 10 * LONGEST)
        self.assertLess(len(self.stream.getvalue()), 3 * LONGEST)

    def test_has_the_traceback_of_a_failure(self) -> None:
        try:
            raise ValueError("wrong\n")
        except ValueError:
            self.log.failure("it failed", Failure())
        line = self.line()
        self.assertEqual((line["level"], line["message"]), ("critical", "it failed"))
        self.assertIn("ValueError: wrong", line["failure"])
        self.assertNotIn("log_failure", line["fields"])

    def test_an_event_without_a_text_is_left_out(self) -> None:
        self.assertIsNone(json_text({}))
        self.assertEqual(formatEvent({}), "")
