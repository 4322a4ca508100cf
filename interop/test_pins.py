"""Pins of protocols that others wrote, with the installed versions and with older ones."""

from __future__ import annotations

import importlib
import json
import subprocess
from pathlib import Path
from typing import Any
from unittest import SkipTest, TestCase

from interop.attempts import tried
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import Builder, environment_variables
from tlsdemo.lab.compare.environment_cache import Cache, default_folder
from tlsdemo.lab.compare.requirements import parse_requirements
from tlsdemo.testing.pins import Pin
from tlsdemo.trace.model import Mark

PEERS = ("twisted.mail", "ldaptor")
ROOT = Path(__file__).parents[1]
OLD = "twisted==25.5.0 ldaptor==21.2.0"

CHANGED = {
    # NEWS of 26.4.0: a protocol is told of its handshake only if the name has been verified; and
    # ALPN is set on the connection, so that a server without any sends an alert.
    "ALPN only offered": {"what it was told", "what it sent", "what its peer saw"},
    "wrong name": {"what it sent", "what its peer saw"},
}
"""What may differ with 25.5, by scenario."""


def pinned() -> Any:
    """Return the module, which needs ldaptor."""
    try:
        return importlib.import_module("interop.pinned")
    except ModuleNotFoundError as problem:
        raise SkipTest(f"there is no {problem.name}: pip install ldaptor") from None


class Pins(TestCase):
    @tried("pins of servers and clients hold with the installed versions", *PEERS)
    def test_hold_with_the_installed_versions(self) -> None:
        self.assertEqual(pinned().differing(), {})

    @tried("there is a pin for each, and no other", *PEERS)
    def test_there_is_a_file_for_each_and_no_other(self) -> None:
        folder = pinned().FOLDER
        self.assertEqual({each.path for each in pinned().cases()}, set(folder.glob("*.json")))

    @tried("pins differ with Twisted 25.5 where its news say so, and nowhere else", *PEERS)
    def test_differ_with_25_5_where_the_news_say_so(self) -> None:
        try:
            found = self.with_old_versions()
        except ComparisonError as problem:
            raise SkipTest(str(problem)) from None
        scenarios = {each.path.stem: each.scenario for each in pinned().cases()}
        unexpected = {
            name: lifelines
            for name, lifelines in found.items()
            if not set(lifelines) <= CHANGED.get(scenarios[name], set())
        }
        self.assertEqual(unexpected, {})
        servers = {name for name in found if scenarios[name] == "ALPN only offered"}
        self.assertEqual(
            {name.removesuffix("-ALPN-only-offered") for name in servers},
            {"ldaptor-proxy", "twisted.mail-imap-server", "twisted.mail-smtp-server"},
        )

    def with_old_versions(self) -> dict[str, list[str]]:
        builder = Builder.of_the_user(Cache(default_folder()), lambda line: None)
        python = builder.interpreter(None)
        with builder.provide(parse_requirements(OLD), python) as environment:
            done = subprocess.run(
                [environment.python, "-m", "interop.pinned"],
                env={**environment_variables(environment), "PYTHONPATH": str(ROOT),
                     "PYTHONSAFEPATH": ""},
                capture_output=True, text=True, timeout=300, check=True, cwd=ROOT,
            )  # fmt: skip
        # ldaptor prints what it cannot decode.
        found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
        return found


class WhatIsPinned(TestCase):
    def received(self, name: str) -> str:
        pin = Pin.read(pinned().Case(name, "injection behind the request").path)
        return " ".join(
            str(each.event.facts.get("data"))
            for each in pin.trace.seen
            if isinstance(each, Mark) and each.event.name == "received"
        )

    @tried("what is injected behind STARTTLS is executed, as the pins tell", "twisted.mail")
    def test_the_servers_of_twisted_mail_execute_what_was_injected(self) -> None:
        self.assertIn("i OK NOOP", self.received("twisted.mail-imap-server"))
        # One answer to what was injected, and one to the question.
        self.assertEqual(self.received("twisted.mail-smtp-server").count("500 "), 2)
