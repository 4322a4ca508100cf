from __future__ import annotations

import doctest

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.cli import target_names
from tlsdemo.cli.target_names import host_of


class HostOfTests(SynchronousTestCase):
    def test_the_docstring_examples_work(self) -> None:
        outcome = doctest.testmod(target_names)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_the_host_is_found_in_every_form(self) -> None:
        for connect, host in {
            "tcp:127.0.0.1:8899": "127.0.0.1",
            "tcp:host=example.org:port=25": "example.org",
            "tcp:port=25:host=example.org": "example.org",
            "tcp:example.org:25:timeout=3": "example.org",
            r"tcp:\:\:1:8899": "::1",
            r"tcp:host=2001\:db8\:\:1:port=25": "2001:db8::1",
            "tls:example.org:443": "example.org",
            "ssl:example.org:443": "example.org",
            "unix:/run/tlsdemo": "localhost",
            "unix:path=/run/tlsdemo": "localhost",
            "tcp:port=25": "localhost",
            "tcp:host=:port=25": "localhost",
        }.items():
            self.assertEqual(host_of(connect), host, connect)
