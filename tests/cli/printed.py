"""What commands print."""

from __future__ import annotations

import contextlib
import io

from tlsdemo.cli.main import main


def printed_by(*arguments: str) -> str:
    """What ``tlsdemo`` prints, which has to succeed."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = main(arguments)
    assert status == 0, f"{arguments}: {status}"
    return output.getvalue()
