"""The state diagrams of all dialects, drawn from their tables: ``python -m`` prints a page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from tlsdemo.starttls.negotiation import (
    BEGIN,
    MAX_EVENTS,
    MAX_LINE,
    MAX_PLAIN,
    OTHER,
    Negotiation,
    Rule,
    State,
    Table,
)
from tlsdemo.starttls.registry import DIALECTS, Dialect
from tlsdemo.starttls.sniffing import AutoServer

_PAGE = f"""\
# Dialects

How two peers agree, in plain bytes, that TLS starts now. This page is printed by
`python -m tlsdemo.starttls.state_diagrams` from the tables that the code follows, and CI checks
that it is up to date.

An arrow is labelled with what the peer said, behind a stroke with what is answered, and in
brackets with the cause of a refusal. What leads to the same answer is on one arrow; "{OTHER}"
stands for all that has no arrow of its own in that state. A word in braces, as `{{tag}}`, is filled
in from what the peer said. To keep them readable, the diagrams leave out what holds in every state:

- more than {MAX_PLAIN:,} bytes before TLS, more than {MAX_EVENTS:,} things said in them, or a line
  of more than {MAX_LINE:,} bytes end in a refusal (too much before TLS);
- bytes behind the words that start TLS end in a refusal (injected plaintext), except that a server
  takes them for the beginning of TLS if they look like it;
- answers to what a client was only about to say end in a refusal (injected plaintext).
"""

_AUTO = """\
## auto

For servers: TLS from the first byte; any other first byte begins the dialect that is named beside
it. Where the server of that greets, it waits a moment for the client's first byte before it does.
"""

_UNWORTHY = {ord(each): f"#{ord(each)};" for each in '#;:<>"%&`'}
"""What means something to Mermaid or to HTML, as the entities that Mermaid knows."""

_LONGEST = 60
"""Characters of a line that are shown."""

_MOST_BYTES = 8
"""Bytes that are shown of what is no text."""


def page(dialects: Iterable[Dialect]) -> str:
    """Return the page, in Markdown, of ``dialects`` and of ``auto``."""
    sections = [_section(dialect) for dialect in dialects]
    return "\n".join([_PAGE, *sections, _AUTO, _fenced(AutoServer)])


def _section(dialect: Dialect) -> str:
    if not dialect.has_words:
        first = "Nobody says anything."
    else:
        first = f"The {'server' if dialect.server_greets else 'client'} speaks first."
    return "\n".join(
        [
            f"## {dialect.name.value}\n\n{dialect.source}. {first}\n",
            f"The server:\n\n{_fenced(dialect.server)}",
            f"The client:\n\n{_fenced(dialect.client)}",
        ]
    )


def _fenced(negotiation: type[Negotiation]) -> str:
    return f"```mermaid\n{diagram(negotiation.table)}```\n"


def diagram(table: Table) -> str:
    """Draw a table as a state diagram of Mermaid."""
    return "".join(f"{line}\n" for line in ["stateDiagram-v2", *_lines(table)])


def _lines(table: Table) -> Iterator[str]:
    used = {state for (state, _) in table} | {rule.next for rule in table.values()}
    for state in State:
        if state in used:
            yield f'    state "{state.value}" as {state.name}'
    yield f"    [*] --> {State.START.name}"
    arrows: dict[tuple[State, Rule], list[str]] = {}
    for (state, name), rule in table.items():
        arrows.setdefault((state, rule), []).append(name)
    order = [*State]
    for (state, rule), names in sorted(arrows.items(), key=lambda arrow: order.index(arrow[0][0])):
        yield f"    {state.name} --> {rule.next.name} : {_label(names, rule)}"
    for state in (State.SWITCHED, State.REFUSED):
        if state in used:
            yield f"    {state.name} --> [*]"


def _label(names: list[str], rule: Rule) -> str:
    label = " or ".join("connected" if name == BEGIN else name for name in names)
    if rule.say:
        label += f" / {_shown(rule.say)}"
    if rule.next is State.REFUSED:
        label += f" ({rule.cause.value})"
    return label.translate(_UNWORTHY)


def _shown(said: bytes) -> str:
    """Show what is said: the first of its lines, or its bytes if it is no text."""
    first, _, rest = said.partition(b"\r\n")
    if not first.isascii() or not first.decode("ascii").isprintable():
        return f"{said[:_MOST_BYTES].hex(' ')} …" if said[_MOST_BYTES:] else said.hex(" ")
    text = first.decode("ascii")
    return f"{text[:_LONGEST].rstrip()} …" if rest or text[_LONGEST:] else text


if __name__ == "__main__":
    sys.stdout.write(page(DIALECTS.values()))
