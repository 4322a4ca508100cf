"""PURE.  State machines as tables, which tests can check and the documentation draws.

A class with states derives from :class:`StateMachine`, lists its ``transitions``, and calls
``_input`` when something happens.  An input without a transition from the present state is ignored.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

_ESCAPED = {ord(each): f"#{ord(each)};" for each in '#;:<>"%&`'}
"""Characters with a meaning in Mermaid or HTML, and the entities that Mermaid has for them."""


class Symbol(enum.Enum):
    """A state or an input.  Its hash is that of an object: :class:`enum.Enum` has a slower one."""

    __hash__ = object.__hash__


@dataclass(frozen=True)
class Transition:
    """The next state, and the method that is called once the machine is in it."""

    next: enum.Enum
    action: Callable[..., object] | None = None


Table = Mapping[tuple[enum.Enum, enum.Enum], Transition]
"""From a state and an input to a transition."""


def transition_table(
    *rows: tuple[enum.Enum, enum.Enum, enum.Enum, Callable[..., object] | None],
) -> Table:
    """Make a table from rows of a state, an input, the next state, and the action."""
    return {(state, name): Transition(to, action) for state, name, to, action in rows}


class StateMachine:
    """Follows its ``transitions``, beginning in the first of its ``states``."""

    states: ClassVar[type[enum.Enum]]
    transitions: ClassVar[Table]
    _state: Any

    def _input(self, name: enum.Enum, *arguments: object) -> None:
        transition = self.transitions.get((self._state, name))
        if transition is not None:
            self._state = transition.next
            if transition.action is not None:
                transition.action(self, *arguments)


@dataclass(frozen=True)
class Arrow:
    """An arrow from one state to the next, with its label."""

    state: enum.Enum
    next: enum.Enum
    label: str


def state_diagram(
    states: Iterable[enum.Enum],
    start: enum.Enum,
    arrows: Sequence[Arrow],
) -> str:
    """Draw a state machine; states without an arrow are left out.

    ``states`` gives the order.  A state is labelled with its value, and leads to the end if no
    arrow leaves it.
    """
    return "".join(f"{line}\n" for line in _lines([*states], start, arrows))


def _lines(states: list[enum.Enum], start: enum.Enum, arrows: Sequence[Arrow]) -> Iterator[str]:
    yield "stateDiagram-v2"
    left = {each.state for each in arrows}
    used = [each for each in states if each in left | {other.next for other in arrows}]
    for state in used:
        yield f'    state "{state.value}" as {state.name}'
    yield f"    [*] --> {start.name}"
    for each in sorted(arrows, key=lambda each: states.index(each.state)):
        label = each.label.translate(_ESCAPED)
        yield f"    {each.state.name} --> {each.next.name} : {label}"
    for state in used:
        if state not in left:
            yield f"    {state.name} --> [*]"


def diagram(machine: type[StateMachine]) -> str:
    """Draw the transitions of ``machine`` as a state diagram for Mermaid."""
    states = list(machine.states)
    arrows = [
        Arrow(state, transition.next, f"{name.value}{_action(transition)}")
        for (state, name), transition in machine.transitions.items()
    ]
    return state_diagram(states, states[0], arrows)


def _action(transition: Transition) -> str:
    if transition.action is None:
        return ""
    return f" / {transition.action.__name__.strip('_').replace('_', ' ')}"
