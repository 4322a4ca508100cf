"""The laboratory for tests, with certificates that are created once per run, and a test case."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from tests.support import now
from tlsdemo.lab.laboratory import Cell, Laboratory
from tlsdemo.lab.own_run import run_ours
from tlsdemo.lab.scenario_certificates import Certificates, make_certificates
from tlsdemo.lab.scenarios import SCENARIOS
from tlsdemo.trace.model import End, Trace
from tlsdemo.trace.observation import STATE, EventSequences
from tlsdemo.trace.timeline import Event


@functools.cache
def made() -> Certificates:
    return make_certificates(Path.cwd() / "laboratory", now())


def laboratory() -> Laboratory:
    return Laboratory(reactor, made())


def cell(scenario: str, mode: str = "starttls", tls: str = "1.3", **changes: Any) -> Cell:
    peer = changes.pop("peer", "tlsdemo")
    return Cell(mode, tls, replace(SCENARIOS[scenario], **changes), peer)


def events(trace: Trace, end: End) -> list[Event]:
    """The events at an end, without OpenSSL's states, whose names depend on its version."""
    return [event for event in trace.marks(end) if event.name != STATE]


def event(trace: Trace, end: End, name: str) -> Event:
    return next(each for each in trace.marks(end) if each.name == name)


class LaboratoryCase(TestCase):
    """Makes connections on the loopback interface, after which the reactor has to be clean."""

    timeout = 30

    async def seen(
        self, scenario: str, mode: str = "starttls", tls: str = "1.3", **more: Any
    ) -> Trace:
        return await run_ours(laboratory(), cell(scenario, mode, tls, **more))

    async def orders(
        self, scenario: str, mode: str = "starttls", tls: str = "1.3"
    ) -> EventSequences:
        return EventSequences.of(await self.seen(scenario, mode, tls))
