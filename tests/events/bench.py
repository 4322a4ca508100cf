"""A laboratory for the tests: its certificates are made once in a run, and its cells by name."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from tests.support import now
from tlsdemo.events.certificates import Certificates, make_certificates
from tlsdemo.events.laboratory import Cell, Laboratory
from tlsdemo.events.ours import run_ours
from tlsdemo.events.ways import WAYS
from tlsdemo.sightings import STATE, Orders
from tlsdemo.timeline import Event
from tlsdemo.trace import End, Trace


@functools.cache
def made() -> Certificates:
    return make_certificates(Path.cwd() / "laboratory", now())


def laboratory() -> Laboratory:
    return Laboratory(reactor, made())


def cell(way: str, mode: str = "starttls", tls: str = "1.3", **changes: Any) -> Cell:
    peer = changes.pop("peer", "tlsdemo")
    return Cell(mode, tls, replace(WAYS[way], **changes), peer)


def events(trace: Trace, end: End) -> list[Event]:
    """What an end was told, without OpenSSL's states, which each version calls otherwise."""
    return [event for event in trace.marks(end) if event.name != STATE]


def event(trace: Trace, end: End, name: str) -> Event:
    return next(each for each in trace.marks(end) if each.name == name)


class LaboratoryCase(TestCase):
    """Makes real connections over loopback; the reactor must be clean after each."""

    timeout = 30

    async def seen(self, way: str, mode: str = "starttls", tls: str = "1.3", **more: Any) -> Trace:
        return await run_ours(laboratory(), cell(way, mode, tls, **more))

    async def orders(self, way: str, mode: str = "starttls", tls: str = "1.3") -> Orders:
        return Orders.of(await self.seen(way, mode, tls))
