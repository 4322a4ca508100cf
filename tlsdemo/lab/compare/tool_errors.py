"""The line that matters in all that pip, venv or uv say when something goes wrong."""

from __future__ import annotations

import re

LONGEST = 300
"""Characters of a line that are shown; pip can name every version there ever was."""

_UNREACHABLE = re.compile(r"Retrying \(Retry\(.*?\)\) after connection broken by (.*)")
_REASON = re.compile(r"(?:: |\()'?(\[Errno [^\]]*\] [^'\")]+|[^:'\"()]+)['\")]*: /")
_ERROR = re.compile(r"^\s*error: (.*\S)", re.MULTILINE | re.IGNORECASE)
_CAUSE = re.compile(r"(?:^\s*cause:|Caused by:|╰─▶)", re.MULTILINE)
_TELLS_NOTHING = ("ResolutionImpossible", "subprocess-exited-with-error", "No solution found")


def complaint(said: str) -> str:
    """Return one line that says what went wrong, taken from all that a tool has ``said``."""
    line = " ".join(_complaint(said).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2].rstrip()} …"


def _complaint(said: str) -> str:
    # Without a network, pip's last word is that there is no such version, which misleads.
    unreachable = _UNREACHABLE.search(said)
    if unreachable is not None:
        reason = _REASON.search(unreachable[1])
        return f"the package index cannot be reached: {(reason or unreachable)[1]}"
    errors: list[str] = [
        line for line in _ERROR.findall(said) if not line.startswith(_TELLS_NOTHING)
    ]
    conflicts = [line for line in errors if line.startswith("Cannot install")]
    if conflicts:
        return conflicts[0]
    _, *causes = _CAUSE.split(said)
    told = [*errors[-1:], *causes[-1:]]
    return ": ".join(told) or said.strip().rpartition("\n")[2] or "it said nothing"
