"""What a command printed, as a sample on a page, between the marks of ``make docs``.

``sample.py PAGE NAME PRINTED``: a line ``<!-- NAME: make docs writes this. -->`` stands before the
block in the page.  With ``--same-words`` as the first argument nothing is written: the exit status
is 1 if the words of both differ, whatever the numbers are.
"""

from __future__ import annotations

import difflib
import re
import sys
from pathlib import Path

FENCE = "```"


def parts(page: str, name: str) -> tuple[str, str, str]:
    """Return what is before the sample in a page, the sample, and what is after it.

    Raises:
        ValueError: If the page has no such sample.
    """
    mark = f"<!-- {name}: make docs writes this. -->\n\n{FENCE}text\n"
    before, found, rest = page.partition(mark)
    block, end, after = rest.partition(f"\n{FENCE}\n")
    if not found or not end:
        raise ValueError(f"there is no block of text behind {mark.splitlines()[0]!r}")
    return before + mark, block + "\n", end[1:] + after


def table(printed: str) -> str:
    """Return the last table of what was printed with its title and what follows; or all of it."""
    lines = [line.rstrip() for line in printed.splitlines()]
    top = max((at for at, line in enumerate(lines) if line.startswith("┏")), default=1)
    return "".join(f"{line}\n" for line in lines[max(0, top - 1) :])


def words(sample: str) -> list[str]:
    """Return the words of each line; what is between them is drawn, and numbers vary."""
    lines = (" ".join(re.findall(r"[^\W\d_]+", line)) for line in sample.splitlines())
    return [line for line in lines if line]


def main(*arguments: str) -> None:
    """Write the sample, or compare it."""
    compares = arguments[0] == "--same-words"
    path, name, printed = arguments[compares:]
    page, seen = Path(path), table(Path(printed).read_text(encoding="utf-8"))
    before, shown, after = parts(page.read_text(encoding="utf-8"), name)
    if not compares:
        page.write_text(before + seen + after, encoding="utf-8")
    elif differences := list(difflib.unified_diff(words(shown), words(seen), path, name, n=0)):
        sys.exit("\n".join(each.rstrip() for each in differences))


if __name__ == "__main__":
    main(*sys.argv[1:])
