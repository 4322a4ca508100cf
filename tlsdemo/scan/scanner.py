"""PURE.  Apply the rules to a source, without what a comment in it says to ignore."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from dataclasses import dataclass

from tlsdemo.scan.python_source import FunctionNode, PythonSource
from tlsdemo.scan.rule import Rule, Spot

_IGNORE = re.compile(r"#\s*tlsdemo:\s*ignore\[([\w\s,-]*)\]")

_LINE_END = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, order=True)
class Hit:
    """A place where a rule is broken; lines, and characters in them, count from 1."""

    path: str
    line: int
    column: int
    rule: str
    what: str


def scan_source(path: str, content: bytes, rules: Iterable[Rule]) -> list[Hit]:
    """Return what the rules find in the content of a file, in the order of its lines.

    Raises:
        NotPython: If something may be in it, and it cannot be parsed.
    """
    rules = [rule for rule in rules if any(word.encode() in content for word in rule.words)]
    if not rules:
        return []
    source = PythonSource(content)
    ignored = _ignored(content)
    columns = _Columns(content)
    found = set()
    for rule in rules:
        for spot, what in rule.check(source):
            # A comment may stand on any line of a statement that goes over several.
            lines = range(spot.lineno, _last_line(spot) + 1)
            if not any(rule.name in ignored.get(line, ()) for line in lines):
                place = spot.lineno, columns.of(spot)
                found.add(Hit(path, *place, rule.name, what))
    return sorted(found)


class _Columns:
    """Columns in characters: the parser's are bytes of UTF-8."""

    def __init__(self, content: bytes) -> None:
        try:
            self._encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        except SyntaxError:
            # The parser accepts a comment in no encoding.
            self._encoding = "utf-8"
        self._lines = _LINE_END.split(content)

    def of(self, spot: Spot) -> int:
        line = self._lines[spot.lineno - 1].decode(self._encoding, "replace")
        return len(line.encode()[: spot.col_offset].decode("utf-8", "replace")) + 1


def _last_line(spot: Spot) -> int:
    if isinstance(spot, ast.ClassDef | FunctionNode):
        # Its body is another matter.
        body = spot.body[0]
        begins: list[int] = [each.lineno for each in (body, *getattr(body, "decorator_list", ()))]
        return max(spot.lineno, min(begins) - 1)
    last = spot.end_lineno
    return spot.lineno if last is None else last


def _ignored(content: bytes) -> dict[int, set[str]]:
    """Return the names of rules to ignore, by line."""
    if b"tlsdemo:" not in content:
        return {}
    ignored: dict[int, set[str]] = {}
    try:
        # Other than the parser, it takes only a line feed for the end of a line.
        lines = io.BytesIO(_LINE_END.sub(b"\n", content))
        for token in tokenize.tokenize(lines.readline):
            if token.type == tokenize.COMMENT and (found := _IGNORE.search(token.string)):
                ignored[token.start[0]] = {name.strip() for name in found[1].split(",")}
    except (tokenize.TokenError, SyntaxError):
        # The parser has accepted it: nothing but comments is lost.
        pass
    return ignored
