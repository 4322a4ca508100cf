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

_ITEMS: Mapping[str, str] = {"Mapping[str, int]": "int", "Mapping[str, str]": "str"}
"""The types of what mappings with names contain."""


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
        _check(name, found[name], str(each.type))
    return kind(**found)


def fields_of(values: object, kinds: Mapping[str, str], what: str) -> dict[str, Any]:
    """Return those of ``values`` that ``kinds`` names, with their types as they are annotated.

    Raises BadValues for one that is missing, of another type, or not finite.
    """
    found = mapping_of(values, what)
    if lacking := [name for name in kinds if name not in found]:
        raise BadValues(f"{what} lacks {lacking[0]!r}")
    for name, kind in kinds.items():
        _check(name, found[name], kind)
    return {name: found[name] for name in kinds}


def _check(name: str, value: object, kind: str) -> None:
    if kind.endswith(" | None"):
        if value is None:
            return
        kind = kind.removesuffix(" | None")
    if kind in _ITEMS:
        for key, item in mapping_of(value, repr(name)).items():
            _check(f"{name} {key}", item, _ITEMS[kind])
        return
    types = _TYPES[kind]
    fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
    if not fits or (isinstance(value, float) and not math.isfinite(value)):
        raise BadValues(f"{name!r} is {value!r:.100}, not of the type {kind}")
    if isinstance(value, (int, float)) and value < 0:
        raise BadValues(f"{name!r} is {value!r}, below 0")


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
