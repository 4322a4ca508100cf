"""State diagrams for Mermaid, drawn from any table of transitions."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_ESCAPED = {ord(each): f"#{ord(each)};" for each in '#;:<>"%&`'}
"""Characters with a meaning in Mermaid or HTML, and the entities that Mermaid has for them."""


@dataclass(frozen=True)
class Transition:
    """An arrow from one state to the next, with its label."""

    state: enum.Enum
    next: enum.Enum
    label: str


def state_diagram(
    states: Iterable[enum.Enum],
    start: enum.Enum,
    transitions: Sequence[Transition],
) -> str:
    """Draw a state machine; states without a transition are left out.

    ``states`` gives the order.  A state is labelled with its value, and leads to the end if no
    transition leaves it.
    """
    return "".join(f"{line}\n" for line in _lines([*states], start, transitions))


def _lines(
    states: list[enum.Enum], start: enum.Enum, transitions: Sequence[Transition]
) -> Iterator[str]:
    yield "stateDiagram-v2"
    left = {each.state for each in transitions}
    used = [each for each in states if each in left | {other.next for other in transitions}]
    for state in used:
        yield f'    state "{state.value}" as {state.name}'
    yield f"    [*] --> {start.name}"
    for each in sorted(transitions, key=lambda each: states.index(each.state)):
        label = each.label.translate(_ESCAPED)
        yield f"    {each.state.name} --> {each.next.name} : {label}"
    for state in used:
        if state not in left:
            yield f"    {state.name} --> [*]"
