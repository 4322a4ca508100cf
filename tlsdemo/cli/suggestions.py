"""``did you mean``: the known names that a mistyped one may stand for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import TypeVar

_T = TypeVar("_T")

_SUGGESTED = 3
"""How many names are suggested, at most."""

_LISTED = 8
"""How many known names are listed where one of them is suggested."""

_KNOWN = "known"
"""The attribute of a parser with the names that it accepts."""

_SHORTEST_PART = 3
"""Characters of a name that is looked for within the known ones; fewer are in too many."""


def similar(name: str, known: Collection[str]) -> list[str]:
    """Return the ``known`` names that resemble ``name`` or contain it, the most similar first.

    >>> similar("smpt", ["smtp", "imap"])
    ['smtp']
    """
    by_lower_case = {each.lower(): each for each in known}
    if name.lower() in by_lower_case:
        return [by_lower_case[name.lower()]]
    close = get_close_matches(name.lower(), by_lower_case, n=_SUGGESTED)
    if not close and len(name) >= _SHORTEST_PART:
        close = [each for each in by_lower_case if name.lower() in each][:_SUGGESTED]
    return [by_lower_case[each] for each in close]


def did_you_mean(name: str, known: Collection[str], prefix: str = "") -> str:
    """Return the question for the end of an error message; empty if nothing is similar.

    ``prefix`` is written before each name.

    >>> did_you_mean("smpt", ["smtp", "imap"])
    '; did you mean smtp?'
    """
    found = [f"{prefix}{each}" for each in similar(name, known)]
    return f"; did you mean {' or '.join(found)}?" if found else ""


def knowing(names: Collection[str]) -> Callable[[Callable[[str], _T]], Callable[[str], _T]]:
    """Note in a parser which names it accepts, for `known_to`; a shell completes them."""

    def note(parse: Callable[[str], _T]) -> Callable[[str], _T]:
        vars(parse)[_KNOWN] = tuple(names)
        return parse

    return note


def known_to(parse: Callable[[str], object] | None) -> tuple[str, ...]:
    """Return the names that a parser accepts, if they have been noted."""
    names: tuple[str, ...] = getattr(parse, _KNOWN, ())
    return names


def one_of(known: Collection[str]) -> Callable[[str], str]:
    """Return a parser that accepts the ``known`` names."""

    @knowing(known)
    def parse(text: str) -> str:
        if text not in known:
            question = did_you_mean(text, known)
            brief = question and len(known) > _LISTED
            names = "unknown" if brief else f"none of {', '.join(known)}"
            raise ValueError(f"{names}{question}")
        return text

    return parse
