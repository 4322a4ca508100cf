"""The relevant line in the output of pip, venv or uv after an error."""

from __future__ import annotations

import re

LONGEST = 300
"""The most characters of a line to show; pip may list every version that was ever released."""

_UNREACHABLE = re.compile(r"Retrying \(Retry\(.*?\)\) after connection broken by (.*)")
_REASON = re.compile(r"(?:: |\()'?(\[Errno [^\]]*\] [^'\")]+|[^:'\"()]+)['\")]*: /")
_ERROR = re.compile(r"^\s*error: (.*\S)", re.MULTILINE | re.IGNORECASE)
_CAUSE = re.compile(r"(?:^\s*cause:|Caused by:|╰─▶)", re.MULTILINE)
_NO_VERSIONS = "(from versions: none)"
_BUILD = re.compile(
    "^\\s*\N{MULTIPLICATION SIGN} "
    r"(.*?)\.?$.*?^\s*(\S[^\n]*)\n\s*\[end of output\]", re.M | re.S
)  # fmt: skip
_UNINFORMATIVE = ("ResolutionImpossible", "subprocess-exited-with-error", "No solution found")


def error_line(output: str) -> str:
    """Return one line that says what went wrong, from the ``output`` of a tool."""
    line = " ".join(_relevant_text(output).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2].rstrip()} …"


def _relevant_text(output: str) -> str:
    # Without a network, pip's last line says that there is no such version, which is misleading.
    unreachable = _UNREACHABLE.search(output)
    if unreachable is not None:
        reason = _REASON.search(unreachable[1])
        return f"the package index cannot be reached: {(reason or unreachable)[1]}"
    errors: list[str] = [
        line for line in _ERROR.findall(output) if not line.startswith(_UNINFORMATIVE)
    ]
    conflicts = [line for line in errors if line.startswith("Cannot install")]
    if conflicts:
        return conflicts[0]
    if errors and _NO_VERSIONS in output:
        return f"{errors[-1]}; the package index has no version of it, or cannot be reached"
    build = _BUILD.search(output)
    if build is not None:
        return f"{build[1]}: {build[2]}"
    _, *causes = _CAUSE.split(output)
    lines = [*errors[-1:], *causes[-1:]]
    return ": ".join(lines) or output.strip().rpartition("\n")[2] or "it printed nothing"
