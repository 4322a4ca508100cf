from __future__ import annotations

from typing import Any, cast

from twisted.scripts import twistd as twistd_script

from tests.cli.refusals import RefusingCase
from tlsdemo import tap
from tlsdemo.cli.server_log import LogFormat


class LogFormatTests(RefusingCase):
    def parse(self, *arguments: str) -> tap.Options:
        twistd = cast(Any, twistd_script).ServerOptions()
        twistd.parseOptions(["-n", *arguments])
        options = twistd.subOptions
        assert isinstance(options, tap.Options)
        return options

    def test_it_is_text_unless_json_is_asked_for(self) -> None:
        self.assertIs(self.parse("tlsdemo")["log-format"], LogFormat.TEXT)
        options = self.parse("tlsdemo", "--log-format=json")
        self.assertIs(options["log-format"], LogFormat.JSON)

    def test_json_is_not_for_logs_that_have_a_format_of_their_own(self) -> None:
        problem = self.refused(lambda: self.parse("--syslog", "tlsdemo", "--log-format=json"))
        self.assertIn("twistd --syslog writes the log in its own format", problem)

    def test_others_are_refused(self) -> None:
        problem = self.refused(lambda: self.parse("tlsdemo", "--log-format=xml"))
        self.assertIn("--log-format is 'xml', none of text, json", problem)
