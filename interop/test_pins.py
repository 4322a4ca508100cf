"""Pins of protocols that others wrote, with the installed versions and with older ones."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import SkipTest, TestCase

from interop.attempts import tried
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import Builder, environment_variables
from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder
from tlsdemo.lab.compare.requirements import parse_requirements
from tlsdemo.testing.pins import Pin
from tlsdemo.trace.model import End, Mark

PEERS = ("twisted.mail", "ldaptor", "Scrapy")
ROOT = Path(__file__).parents[1]
OLD = "twisted==25.5.0 ldaptor==21.2.0 scrapy==2.19.0 aiosmtpd==1.4.6"

BEFORE_2_16 = "scrapy==2.13.3 twisted==26.10.0"
"""Scrapy's changelog: 2.16.0 added support for Twisted 26.4."""

CHANGED = {
    # The findings alpn-kills-handshake and name-checked-too-late show both with Twisted alone.
    "ALPN only offered": {"what it was told", "what it sent", "what its peer saw"},
    "wrong name": {"what it sent", "what its peer saw"},
}
"""What may differ with 25.5, by scenario."""


def pinned(name: str = "interop.pinned") -> Any:
    """Return a module that needs packages which others wrote."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as problem:
        raise SkipTest(f"there is no {problem.name}: pip install {problem.name}") from None


def run(python: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a Python program in this checkout."""
    return subprocess.run(
        [python, *arguments],
        env={**more, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": ""},
        capture_output=True, text=True, timeout=300, check=False, cwd=ROOT,
    )  # fmt: skip


@contextmanager
def environment(requirements: str) -> Iterator[Environment]:
    """Provide an environment with these packages, and those that tlsdemo needs."""
    builder = Builder.of_the_user(Cache(default_folder()), lambda line: None)
    try:
        python = builder.interpreter(None)
        with builder.provide(parse_requirements(requirements), python) as found:
            yield found
    except ComparisonError as problem:
        raise SkipTest(str(problem)) from None


def with_old_versions(program: str) -> dict[str, list[str]]:
    """Return the lifelines that differ from the pins with older versions, by name of the pin."""
    with environment(OLD) as old:
        done = run(str(old.python), "-m", program, **environment_variables(old))
    # ldaptor prints what it cannot decode.
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


class Pins(TestCase):
    @tried("pins of servers and clients hold with the installed versions", *PEERS)
    def test_hold_with_the_installed_versions(self) -> None:
        self.assertEqual(pinned().differing(), {})

    @tried("there is a pin for each, and no other", *PEERS, "aiosmtpd")
    def test_there_is_a_file_for_each_and_no_other(self) -> None:
        control = pinned("interop.pinned_aiosmtpd")
        paths = {each.path for each in pinned().cases()}
        paths |= {control.path_of(scenario) for scenario in control.SCENARIOS}
        self.assertEqual(paths, set(pinned().FOLDER.glob("*.json")))

    @tried("pins differ with Twisted 25.5 in two scenarios, and nowhere else", *PEERS)
    def test_differ_with_25_5_in_two_scenarios(self) -> None:
        found = with_old_versions("interop.pinned")
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

    @tried("pins of a server without Twisted hold with either release of Twisted", "aiosmtpd")
    def test_a_server_without_twisted_is_a_negative_control(self) -> None:
        pinned("interop.pinned_aiosmtpd")
        here = run(sys.executable, "-m", "interop.pinned_aiosmtpd", **os.environ)
        self.assertEqual(here.stdout, "{}\n", here.stderr)
        self.assertEqual(with_old_versions("interop.pinned_aiosmtpd"), {})

    @tried("what Scrapy before 2.16 imports is gone in Twisted 26, and the scan names it", "Scrapy")
    def test_the_scan_names_what_breaks_an_older_scrapy(self) -> None:
        module = "scrapy.core.downloader.contextfactory"
        with environment(BEFORE_2_16) as other:
            variables = environment_variables(other)
            done = run(str(other.python), "-c", f"import {module}", **variables)
            where = run(
                str(other.python), "-c", "import scrapy; print(scrapy.__path__[0])", **variables
            )
        self.assertIn("cannot import name '_setAcceptableProtocols'", done.stderr)
        path = Path(where.stdout.strip(), "core", "downloader", "contextfactory.py")
        scan = run(
            sys.executable, "-m", "tlsdemo", "scan", "--rule=private-tls-name", str(path),
            **os.environ,
        )  # fmt: skip
        self.assertIn("_setAcceptableProtocols is private", scan.stdout)


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

    @tried("what is injected behind STARTTLS is not executed, as the pin tells", "aiosmtpd")
    def test_aiosmtpd_does_not(self) -> None:
        pin = Pin.read(pinned().FOLDER / "aiosmtpd-server-injection-behind-the-request.json")
        (answer,) = (
            each.event.facts["data"]
            for each in pin.trace.seen
            if isinstance(each, Mark) and each.event.name == "received"
        )
        self.assertEqual(answer, "250 OK\\r\\n")

    @tried("a name that is wrong keeps Scrapy from asking only if it is told to verify", "Scrapy")
    def test_scrapy_verifies_only_if_it_is_told_to(self) -> None:
        asked = {}
        for name in ("scrapy-client", "scrapy-verifying-client"):
            texts = Pin.read(pinned().Case(name, "wrong name").path).texts()[End.SERVER]
            asked[name] = any(text.startswith("received ") for text in texts)
        self.assertEqual(asked, {"scrapy-client": True, "scrapy-verifying-client": False})
