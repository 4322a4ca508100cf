from __future__ import annotations

import doctest

from twisted.trial.unittest import SynchronousTestCase

from tests.cli.test_load_options import LoadOptionsCase
from tlsdemo.cli import load_options, source_addresses
from tlsdemo.tap_client import Options


class Reading(SynchronousTestCase):
    def read(self, text: str) -> list[str]:
        return source_addresses.source_addresses(text)

    def test_the_docstring_examples_work(self) -> None:
        outcome = doctest.testmod(source_addresses)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_lists_and_ranges_may_be_mixed(self) -> None:
        self.assertEqual(
            self.read("127.0.0.2, 127.0.0.3-127.0.0.4,::1,127.0.0.3"),
            ["127.0.0.2", "127.0.0.3", "127.0.0.4", "::1"],
        )
        self.assertEqual(len(self.read("127.0.0.0-127.0.255.255")), 65_536)

    def test_what_is_wrong_is_said(self) -> None:
        for text, problem in {
            "": "'' is not an address",
            "localhost": "'localhost' is not an address",
            "127.0.0.1-": "'' is not an address",
            "127.0.0.9-127.0.0.2": "127.0.0.2 does not follow 127.0.0.9",
            "127.0.0.1-::1": "'127.0.0.1-::1' is no range",
            "127.0.0.0-127.1.0.0": "more than 65,536 addresses",
        }.items():
            self.assertIn(problem, str(self.assertRaises(ValueError, self.read, text)))


class Ports(LoadOptionsCase):
    def setUp(self) -> None:
        super().setUp()
        self.patch(load_options, "ephemeral_ports", lambda: 100)
        self.patch(load_options, "raise_descriptor_limit", lambda: 10_000)

    def test_more_connections_than_ports_are_refused(self) -> None:
        for arguments, problem in {
            ("--conn=101",): "--conn=101 needs as many ports, and 1 source address has 100 for",
            ("--conn=201", "--source=127.0.0.2,127.0.0.3"): "2 source addresses have 200 for one",
        }.items():
            options = self.parse(*arguments)
            self.assertIn(problem, self.refused(options.workers))
        self.assertIn("give 3 addresses with --source", self.refused(options.workers))

    def test_as_many_are_not(self) -> None:
        self.assertEqual(self.parse("--conn=100", "--workers=2").workers(), 2)
        several = self.parse("--conn=200", "--source=127.0.0.2-127.0.0.3", "--workers=2")
        self.assertEqual(several.workers(), 2)
        elsewhere = Options()
        elsewhere.parseOptions(["--connect=unix:a", "--conn=201", "--workers=2"])
        self.assertEqual(elsewhere.workers(), 2)

    def test_nothing_is_refused_where_the_system_does_not_say(self) -> None:
        self.patch(load_options, "ephemeral_ports", lambda: None)
        self.assertEqual(self.parse("--conn=101", "--workers=2").workers(), 2)

    def test_no_ports_at_all_are_not_divided_by(self) -> None:
        self.patch(load_options, "ephemeral_ports", lambda: 0)
        options = self.parse("--conn=1")
        self.assertIn("give more addresses", self.refused(options.workers))

    def test_the_addresses_of_others_are_refused(self) -> None:
        options = self.parse("--source=127.0.0.2,192.0.2.1")
        self.assertIn(
            "--source has 192.0.2.1, from which we cannot connect: Cannot assign requested address",
            self.refused(options.workers),
        )

    def test_a_connection_that_has_its_own_address_is_refused(self) -> None:
        for connect in ("unix:a", "tcp:a:1:bindAddress=127.0.0.3", "tcp:a:1:30:127.0.0.3"):
            message = self.refused(
                lambda connect=connect: Options().parseOptions(  # type: ignore[misc]
                    [f"--connect={connect}", "--source=127.0.0.2"]
                )
            )
            self.assertIn("--source is '127.0.0.2', and --connect is", message)
