"""PURE.  What of a line of progress fits into the columns of a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BAR = "\N{BOX DRAWINGS HEAVY HORIZONTAL}"
"""Stands for the bar, behind the label."""

_LONGER = "longer"
_LONGER_RANK = 3
_BAR_RANK = 4


_GAP = 2
"""Columns between two pieces."""


@dataclass(frozen=True)
class Piece:
    """A piece of the line.

    ``rank``: 0 for what is always shown, and the greater, the sooner it is left out.  ``longer``:
    shown instead of ``text`` if there is room.
    """

    text: str
    rank: int
    longer: str = ""


def bar_width(width: int) -> int:
    """Return the columns of the bar on a line of ``width``, the same for all lines of it."""
    return 10 if width < 100 else 20 if width < 150 else 40


def fitting(pieces: Sequence[Piece], width: int, with_bar: bool) -> list[str]:
    """Return the texts that fit into ``width`` columns, with `BAR` behind the first one.

    A figure is shown wholly or not at all.  Only the first piece, the label, is shortened if those
    that are always shown have no room beside it.
    """
    label, *others = pieces
    left = width - len(label.text) - sum(_GAP + len(each.text) for each in others if not each.rank)
    if left < 0:
        always = [each.text for each in others if not each.rank]
        return [_shortened(label.text, len(label.text) + left), *always]
    # Each with its rank, the columns it needs, and where it is among ``pieces``, or what it is.
    wishes: list[tuple[int, int, int | str]] = [
        (each.rank, _GAP + len(each.text), number) for number, each in enumerate(others)
    ]
    if label.longer:
        wishes.append((_LONGER_RANK, len(label.longer) - len(label.text), _LONGER))
    if with_bar:
        wishes.append((_BAR_RANK, _GAP + bar_width(width), BAR))
    granted: set[int | str] = set()
    for rank, columns, what in sorted(wishes, key=lambda wish: wish[0]):
        if not rank or columns <= left:
            granted.add(what)
            left -= columns if rank else 0
    texts = [each.text for number, each in enumerate(others) if number in granted]
    bar = [BAR] if BAR in granted else []
    return [label.longer if _LONGER in granted else label.text, *bar, *texts]


def _shortened(text: str, length: int) -> str:
    return "" if length < 1 else f"{text[: length - 1]}\N{HORIZONTAL ELLIPSIS}"


def clock_text(seconds: float) -> str:
    """Return a duration as minutes and seconds, or hours, minutes and seconds.

    >>> clock_text(65.2), clock_text(3600)
    ('1:05', '1:00:00')
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
