"""Puts Twisted's own ways to TLS through all situations in memory, for a matrix of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tlsdemo.gate.stock_subjects import SUBJECTS, stock_subject
from tlsdemo.testing.pins import SITUATIONS, Pin, observe_in_memory
from tlsdemo.testing.pins.subject import VERSIONS
from tlsdemo.tls import versions
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import wire_label

PEER = "Python's ssl"
"""Who is at the other end."""


def stock_matrix() -> dict[str, Any]:
    """Return what is seen, as ``tlsdemo events --format=json`` does.

    It is always the same with the same versions: nothing depends on time.
    """
    cells = [
        cell
        for name in SUBJECTS
        for scenario in _tried(name)
        for tls in VERSIONS
        if (cell := _cell(name, tls, scenario)) is not None
    ]
    return {"versions": versions(), "cells": cells}


def _tried(name: str) -> Iterable[str]:
    # A limit of the version shows in the first handshake; the other scenarios would repeat it.
    return ("ok", "no common version") if "at most" in name else SITUATIONS


def _cell(name: str, tls: str, scenario: str) -> dict[str, Any] | None:
    subject = stock_subject(name, tls)
    try:
        pin = Pin(observe_in_memory(subject, scenario))
    except ValueError:
        return None
    texts = pin.texts()
    sent = [wire_label(each) for each in pin.trace.arrows() if each.sender is subject.end]
    return {
        "mode": name, "tls": tls, "way": scenario, "peer": PEER, "race": False, "wire": sent,
        **{end.value: texts[end] for end in End},
    }  # fmt: skip
