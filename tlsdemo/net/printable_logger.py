"""A logger whose lines contain nothing but printable text, whoever has chosen it."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

from tlsdemo.printable import printable

LONGEST = 1000
"""Characters of a field after which it is cut off."""


class PrintableLogger(Logger):
    """Twisted's logger, with :func:`~tlsdemo.printable.printable` applied to every text field.

    The format and the traceback of a failure are ours, and stay as they are.
    """

    def emit(self, level: Any, format: str | None = None, **kwargs: object) -> None:
        """Emit an event, as :meth:`twisted.logger.Logger.emit` does."""
        super().emit(level, format, **{name: _printable(each) for name, each in kwargs.items()})


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, LONGEST)
    if isinstance(value, dict):
        return {_printable(name): _printable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(each) for each in value]
    return value
