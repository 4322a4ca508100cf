"""What commands print."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

from tests.cli.refusals import RefusingCase
from tlsdemo.cli.main import main


def printed_by(*arguments: str) -> str:
    """What ``tlsdemo`` prints, which has to succeed."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = main(arguments)
    assert status == 0, f"{arguments}: {status}"
    return output.getvalue()


class PrintingCase(RefusingCase):
    """A command that prints, and reads files of a ``folder``."""

    def setUp(self) -> None:
        super().setUp()
        self.output = io.StringIO()
        self.patch(sys, "stdout", self.output)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def run_(self, *arguments: str) -> tuple[int, str]:
        """Return the exit status of ``tlsdemo`` with these arguments, and what it prints."""
        self.output.seek(0)
        self.output.truncate()
        return main(arguments), self.output.getvalue()
