"""The file of accepted changes, which is committed: JSON, with a reason for each if one likes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tlsdemo.gate.changes import Change


class BadAcceptance(Exception):
    """A file is none of accepted changes; the text says which and why."""


@dataclass
class Acceptance:
    """Accepted changes: the connections in which each is accepted, by the key of the change.

    A change is accepted if all its connections are; a new connection with it is news.
    """

    cells: dict[str, list[str]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Acceptance:
        """Read a file; one that does not exist accepts nothing.

        Raises:
            BadAcceptance: If it cannot be read, or holds something else.
        """
        accepted = cls()
        try:
            for entry in json.loads(path.read_text(encoding="utf-8"))["accepted"]:
                key, cells, reason = entry["change"], entry["cells"], entry["reason"]
                texts = [key, reason, *cells]
                if not isinstance(cells, list) or not all(isinstance(each, str) for each in texts):
                    raise TypeError(entry)
                accepted.cells[key] = [*accepted.cells.get(key, []), *cells]
                accepted.reasons[key] = reason
        except FileNotFoundError:
            return accepted
        except OSError as problem:
            raise BadAcceptance(f"{path} cannot be read: {problem.strerror}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise BadAcceptance(f"{path} is no file from --accept-new") from None
        return accepted

    def accepts(self, change: Change) -> bool:
        """Return whether ``change`` has been accepted, in all of its connections."""
        keys = [key for key in self.cells if change.is_called(key)]
        return bool(keys) and set(change.cells) <= {
            each for key in keys for each in self.cells[key]
        }

    def add(self, changes: Iterable[Change]) -> None:
        """Accept ``changes`` as well."""
        for change in changes:
            before = self.cells.get(change.key, [])
            self.cells[change.key] = list(dict.fromkeys([*before, *change.cells]))
            self.reasons.setdefault(change.key, "")

    def text(self) -> str:
        """Return what is written to the file."""
        entries = [
            {"change": key, "reason": self.reasons[key], "cells": cells}
            for key, cells in sorted(self.cells.items())
        ]
        return json.dumps({"accepted": entries}, indent=1, ensure_ascii=False) + "\n"
