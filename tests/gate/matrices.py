"""Matrices of events, as small as they can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def cell(
    way: str = "ok",
    server: Sequence[str] = (),
    client: Sequence[str] = (),
    wire: Sequence[str] = (),
    sizes: Sequence[tuple[str, int]] = (),
) -> dict[str, Any]:
    trace = [{"from": end, "record": "handshake", "length": length} for end, length in sizes]
    return {
        "mode": "starttls", "tls": "1.3", "way": way, "peer": "tlsdemo", "race": False,
        "server": list(server), "client": list(client), "wire": list(wire),
        "trace": [{"end": "client", "event": "connected"}, *trace],
    }  # fmt: skip


def matrix(*cells: dict[str, Any]) -> dict[str, Any]:
    return {"versions": {"Twisted": "1"}, "cells": list(cells)}


def findings(
    saw: str = "", reason: str = "the reproduction failed: Gone", **verdicts: str
) -> dict[str, Any]:
    return {
        "versions": {},
        "findings": [
            {"name": name, "title": name, "verdict": verdict, "evidence": [saw] if saw else [],
             **({"reason": reason} if verdict == "cannot tell" else {})}
            for name, verdict in verdicts.items()
        ],
    }  # fmt: skip
