from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tests.cli.refusals import RefusingCase
from tlsdemo import tap
from tlsdemo.tls import MODES, ModeName
from tlsdemo.web.web_pages import WebPages

LOOPBACK = "--web=tcp:8080:interface=127.0.0.1"


class WebOptionsTests(RefusingCase):
    def parse(self, *arguments: str) -> tap.Options:
        options = tap.Options()
        options.parseOptions(arguments)
        return options

    def error(self, *arguments: str) -> str:
        return self.refused(lambda: self.parse(*arguments))

    def pages(self, *arguments: str) -> WebPages | None:
        return self.parse(*arguments).web_pages(MODES[ModeName.PAIR])

    def token(self, text: str) -> str:
        path = Path(self.mktemp())
        path.write_text(text)
        return f"--web-token={path}"

    def test_there_are_no_pages_unless_they_are_asked_for(self) -> None:
        self.assertIsNone(self.pages())

    def test_pages_on_loopback_need_no_token(self) -> None:
        for where in ("tcp:0:interface=127.0.0.1", "tcp6:0:interface=\\:\\:1", "unix:/a"):
            self.assertIsNotNone(self.pages(f"--web={where}"))

    def test_others_need_one(self) -> None:
        for where in ("tcp:8080", "tcp:8080:interface=192.0.2.1", "tcp6:0:interface=\\:\\:"):
            self.assertIn("with --web-token", self.error(f"--web={where}"))
        self.assertIsNotNone(self.pages("--web=tcp:8080", self.token("0123456789abcdef\n")))

    def test_a_token_has_to_be_readable_and_long(self) -> None:
        for option, expected in (
            ("--web-token=/nonexistent", "No such file or directory"),
            (self.token("short\nbut then more text\n"), "has 5 characters; use at least 16"),
            (self.token(""), "has 0 characters"),
        ):
            problem = self.refused(partial(self.pages, LOOPBACK, option))
            self.assertIn(expected, problem)
            self.assertNotIn("short", problem)

    def test_workers_have_pages_of_their_parent(self) -> None:
        self.assertIsNotNone(self.pages(LOOPBACK, "--workers=2"))

    def test_workers_do_not_try_the_endpoints_of_their_parent(self) -> None:
        # The sockets that systemd has passed, and the files that root may read, are the parent's.
        token = self.token("0123456789abcdef")
        for where in ("ssl:0:privateKey=/nonexistent", "systemd:domain=INET:index=0"):
            options = tap.Options()
            options.is_worker = True
            options.parseOptions(["--workers=2", f"--web={where}", token])
            self.assertIsNotNone(options.page_watches(MODES[ModeName.PAIR]))

    def test_a_token_is_for_pages(self) -> None:
        self.assertIn("--web, which is not given", self.error(self.token("0123456789abcdef")))

    def test_where_has_to_be_an_endpoint(self) -> None:
        self.assertIn("--web is 'nowhere:1', not an endpoint", self.error("--web=nowhere:1"))
        self.assertIn("leave haproxy: away", self.error("--web=haproxy:tcp:1"))

    def test_without_the_extra_it_says_how_to_install_it(self) -> None:
        missing = [each for each in sys.modules if each.startswith(("tlsdemo.web", "prometheus"))]
        with patch.dict(sys.modules, dict.fromkeys([*missing, "prometheus_client"])):
            problem = self.refused(lambda: self.pages(LOOPBACK))
        self.assertIn("pip install 'tlsdemo[web]'", problem)
