"""The page docs/interoperability.md, from what a whole run has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from interop.attempts import Part

_HEAD = """# Interoperability

What was done with real clients and servers, and went well. `make interop` installs these peers,
tries all of this, and writes this page; see [interop/README.md](../interop/README.md).

tlsdemo is a *proxy* between two peers, a client and a plain server; or a *server* of its own, which
echoes; or a *client*. In mode `wrapped` TLS comes first; the others can upgrade. The dialect `irc`
belongs to a test, not to tlsdemo.
"""

_MODES = ("starttls", "pair", "wrapped", "clear")


@dataclass(frozen=True)
class Seen:
    """What a test has done: ``parts`` in the order of its steps; ``skipped`` is why it did not."""

    test: str
    what: str
    peers: tuple[str, ...]
    parts: tuple[Part, ...]
    skipped: str = ""


def render(seen: Iterable[Seen], versions: Mapping[str, str], environment: str) -> str:
    """Return the page, in Markdown.

    Args:
        seen: What the tests have done.
        versions: The versions of the peers.
        environment: A sentence that says where and how long this was tried.
    """
    seen = list(seen)
    lines = [_HEAD, environment, ""]
    lines += _table(("dialect", "tlsdemo", "mode", "peer", "what was done"), _rows(seen, versions))
    skipped = sorted({(each.what, each.skipped) for each in seen if each.skipped})
    if skipped:
        lines += ["", "Not tried, because something was missing:", ""]
        lines += _table(("what", "why"), skipped)
    return "\n".join(lines) + "\n"


def _rows(seen: Iterable[Seen], versions: Mapping[str, str]) -> list[tuple[str, ...]]:
    modes: dict[tuple[str, str, str, str], set[str]] = {}
    for each in seen:
        if each.skipped:
            continue
        peers = ", ".join(f"{name} {versions[name]}" for name in each.peers) or "a script"
        for part in each.parts:
            key = part.dialect, part.role, peers, each.what
            modes.setdefault(key, set()).add(part.mode)
    rows = [
        (dialect, role, ", ".join(sorted(used, key=_MODES.index)), peers, what)
        for (dialect, role, peers, what), used in modes.items()
    ]
    return sorted(rows, key=lambda row: (row[0], row[1], row[3].casefold(), row[4]))


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    for row in (head, ["---"] * len(head), *rows):
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
