"""docs/dialects.md, which ``python -m tlsdemo.starttls.state_diagrams`` draws from the tables."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.negotiation import (
    MAX_LINE,
    MAX_MESSAGES,
    MAX_PLAIN,
    OTHER,
    Negotiation,
    Rule,
    State,
    Table,
)
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.sniffing import AutoServer
from tlsdemo.state_machine import Arrow, state_diagram

_PAGE = f"""\
# Dialects

How two peers agree, in plaintext, to start TLS. This page is printed by
`python -m tlsdemo.starttls.state_diagrams` from the tables that the code follows, and a test checks
that it is up to date.

The label of an arrow is the message that was received, then, after a slash, the answer, and in
parentheses the reason for a refusal. Messages that lead to the same answer share an arrow;
"{OTHER}" stands for every message that has no arrow of its own in that state. A word in braces,
such as `{{tag}}`, is replaced by a part of the message. The diagrams leave out what holds in every
state:

- More than {MAX_PLAIN:,} bytes or more than {MAX_MESSAGES:,} messages before TLS, or a line of more
  than {MAX_LINE:,} bytes unless another limit is given below, are refused (too much before TLS).
- Bytes after the last message before TLS are refused (injected plaintext); but a server passes them
  to TLS if they look like TLS.
- A client refuses a message that arrived before it sent the command that the message answers
  (injected plaintext), unless the message changes nothing: its arrow leads back to the same state,
  without an answer.
"""

_AUTO = """\
## auto

For servers: a first byte that begins TLS starts TLS; any other begins the dialect whose name
follows `auto:`. If that dialect's server greets, it waits a moment for the client's first byte
before it does.
"""

_LONGEST = 60
"""Characters of a line that are shown."""

_MOST_BYTES = 8
"""Bytes of binary data that are shown."""


def page(dialects: Iterable[Dialect]) -> str:
    """Return the page, in Markdown, of ``dialects`` and of ``auto``."""
    sections = [_section(dialect) for dialect in dialects]
    return "\n".join([_PAGE, *sections, _AUTO, _fenced(AutoServer)])


def _section(dialect: Dialect) -> str:
    return "\n".join(
        [
            f"## {dialect.name}\n\n{dialect.source}. {_summary(dialect)}\n",
            f"The server:\n\n{_fenced(dialect.server)}",
            f"The client:\n\n{_fenced(dialect.client)}",
        ]
    )


def _summary(dialect: Dialect) -> str:
    if not dialect.negotiates:
        return "The client sends its ClientHello at once."
    first = f"The {'server' if dialect.server_speaks_first else 'client'} speaks first."
    if dialect.client_hello_is_request:
        first += " The client's ClientHello is its request for TLS."
    if dialect.client.longest_line != MAX_LINE:
        first += f" A line may have {dialect.client.longest_line:,} bytes."
    return first


def _fenced(negotiation: type[Negotiation]) -> str:
    return f"```mermaid\n{diagram(negotiation.table)}```\n"


def diagram(table: Table) -> str:
    """Draw a negotiation's table as a state diagram for Mermaid."""
    arrows: dict[tuple[State, Rule], list[str]] = {}
    for (state, name), rule in table.items():
        arrows.setdefault((state, rule), []).append(name)
    transitions = [
        Arrow(state, rule.next, _label(names, rule)) for (state, rule), names in arrows.items()
    ]
    return state_diagram(State, State.START, transitions)


def _label(names: list[str], rule: Rule) -> str:
    label = " or ".join(names)
    if rule.say:
        label += f" / {_shorten(rule.say)}"
    if rule.next is State.REFUSED:
        label += f" ({rule.cause.value})"
    return label


def _shorten(data: bytes) -> str:
    """Return the first line of a text, or the first bytes of binary data."""
    first, _, rest = data.partition(b"\r\n")
    if not first.isascii() or not first.decode("ascii").isprintable():
        return f"{data[:_MOST_BYTES].hex(' ')} …" if data[_MOST_BYTES:] else data.hex(" ")
    text = first.decode("ascii")
    return f"{text[:_LONGEST].rstrip()} …" if rest or text[_LONGEST:] else text


if __name__ == "__main__":
    sys.stdout.write(page(DIALECTS.values()))
