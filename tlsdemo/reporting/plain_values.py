"""PURE.  Dataclasses of plain values, read from JSON that somebody may have changed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")

_TYPES: Mapping[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "str": (str,),
    "bool": (bool,),
}


class BadValues(ValueError):
    """Values that are not those of the class; the text says which and why."""


def read_values(kind: type[T], values: object) -> T:
    """Return an instance of a dataclass whose fields are numbers, texts and truth values.

    Raises BadValues for a field that is missing, unknown, of another type, or not finite.
    """
    found = mapping_of(values, kind.__name__)
    known = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(found) - set(known)):
        raise BadValues(f"{kind.__name__} has no {unknown[0]!r}")
    for name, each in known.items():
        if name not in found:
            if each.default is MISSING and each.default_factory is MISSING:
                raise BadValues(f"{kind.__name__} lacks {name!r}")
            continue
        value, types = found[name], _TYPES[str(each.type)]
        fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
        if not fits or (isinstance(value, float) and not math.isfinite(value)):
            raise BadValues(f"{name!r} is {value!r}, not of the type {each.type}")
        if not isinstance(value, str) and value < 0:
            raise BadValues(f"{name!r} is {value!r}, below 0")
    return kind(**found)


def mapping_of(values: object, what: str) -> dict[str, Any]:
    """Return ``values``; raises BadValues if they are not a JSON object."""
    if not isinstance(values, dict):
        raise BadValues(f"{what} is not an object, but {type(values).__name__}")
    return values


def list_of(values: object, what: str) -> list[Any]:
    """Return ``values``; raises BadValues if they are not a JSON array."""
    if not isinstance(values, list):
        raise BadValues(f"{what} is not a list, but {type(values).__name__}")
    return values
