"""docs/qlog-tlsdemo.cddl, and what has to follow it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import pycddl

SCHEMA = Path(__file__).resolve().parents[2] / "docs" / "qlog-tlsdemo.cddl"

_schema = pycddl.Schema(SCHEMA.read_text(encoding="utf-8"))


def texts(content: str) -> list[Any]:
    """The texts of a JSON Text Sequence (RFC 7464)."""
    first, *sequence = content.split("\x1e")
    assert first == "", first
    assert all(text.endswith("\n") for text in sequence)
    return [json.loads(text) for text in sequence]


def problem_of(text: Any) -> str | None:
    """What the schema says against a text, if anything; JSON's values are those of CBOR."""
    try:
        _schema.validate_cbor(cbor2.dumps(text))
    except pycddl.ValidationError as problem:
        return f"{text}: {problem}"
    return None
