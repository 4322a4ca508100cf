"""A configuration file in TOML: the options of a command, under their own names.

What a file says becomes what a command line would say, so that the same checks apply to both.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LONGEST_FILE = 1 << 20
"""Bytes that a configuration file may have at most."""


class BadConfig(ValueError):
    """A configuration file, or a part of it, cannot be used; the message says why."""


class Kind(Enum):
    """What an option takes; the value says what to write in the file."""

    FLAG = "true or false"
    INTEGER = "a whole number"
    NUMBER = "a number"
    TEXT = "a text, in quotes"
    TEXTS = 'one text or several, such as ["one", "two"]'

    @classmethod
    def of_parser(cls, parse: Callable[[str], object] | None) -> Kind:
        """Return the kind of an option with this parser, by the type that the parser returns."""
        found = None if parse is None else inspect.unwrap(parse)
        returned = getattr(found, "__annotations__", {}).get("return")
        if returned in ("int", int):
            return cls.INTEGER
        return cls.NUMBER if returned in ("float", float) else cls.TEXT


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file that has been read; ``name`` is as the user wrote it."""

    name: str
    content: bytes

    @classmethod
    def read(cls, name: str) -> ConfigFile:
        """Read a file, or raise `BadConfig`."""
        try:
            with Path(name).expanduser().open("rb") as file:
                content = file.read(LONGEST_FILE + 1)
        except OSError as problem:
            raise BadConfig(f"it cannot be read: {problem.strerror}") from None
        if len(content) > LONGEST_FILE:
            raise BadConfig(f"it has more than {LONGEST_FILE:,} bytes")
        return cls(name, content)

    def has_changed(self) -> bool:
        """Return whether the file says something else now, or cannot be read any more."""
        try:
            return self.read(self.name).content != self.content
        except BadConfig:
            return True

    def settings(self) -> dict[str, Any]:
        """Return the keys with their values, or raise `BadConfig`."""
        try:
            settings: dict[str, Any] = tomllib.loads(self.content.decode())
            return settings
        except UnicodeDecodeError:
            raise BadConfig("it is not text in UTF-8") from None
        except RecursionError:
            raise BadConfig("it is nested too deeply") from None
        except tomllib.TOMLDecodeError as problem:
            raise BadConfig(f"it is not TOML: {problem}") from None


def as_given(settings: Mapping[str, Any], kinds: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    """Yield the options that ``settings`` set, with their values as on a command line.

    ``settings`` have options of ``kinds`` only.  Raises `BadConfig` for a value of another type.
    """
    for name, value in settings.items():
        kind = kinds[name]
        if kind is Kind.FLAG and isinstance(value, bool):
            if value:
                yield name, ""
        elif kind is Kind.TEXTS and isinstance(value, list):
            for each in value:
                yield name, _text(name, each, kind)
        else:
            yield name, _text(name, value, kind)


def _text(name: str, value: object, kind: Kind) -> str:
    fits = {
        Kind.FLAG: (),
        Kind.INTEGER: (int,),
        Kind.NUMBER: (int, float),
        Kind.TEXT: (str,),
        Kind.TEXTS: (str,),
    }[kind]
    if isinstance(value, bool) or not isinstance(value, fits):
        raise BadConfig(f"{name} is {shown(value)}, and it takes {kind.value}")
    if isinstance(value, str) and "\0" in value:
        raise BadConfig(f"{name} is {shown(value)}, with a zero byte; leave it out")
    return str(value)


def toml_line(name: str, kind: Kind, values: list[str]) -> str:
    """Return the line for an option that is given with these values, which are valid."""
    if kind is Kind.FLAG:
        return f"{name} = true"
    if kind is Kind.TEXTS:
        return f"{name} = [{', '.join(map(_toml_text, values))}]"
    # Of an option that is not repeatable, the last one counts.
    value = values[-1]
    if kind is Kind.INTEGER:
        return f"{name} = {int(value)}"
    return f"{name} = {float(value) if kind is Kind.NUMBER else _toml_text(value)}"


def _toml_text(text: str) -> str:
    """Return a basic string of TOML, or raise `BadConfig` for bytes that are not UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadConfig(f"{text!r} is not UTF-8, so it cannot be written as TOML") from None
    # The strings of JSON are strings of TOML, but for one character.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def shown(value: object) -> str:
    """Return a value as the file has it, as far as that is a word or two."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, (str, int, float, list)) else str(value)
