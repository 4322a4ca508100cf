"""PURE.  State machines as tables, which tests can check and the documentation draws.

A class that has states derives from :class:`StateMachine`, lists what it does in ``transitions``,
and reports what happens to it with ``_input``.  An input that has no transition in the present
state is ignored: nothing is to be done about it there.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Transition:
    """Where an input leads, and the method that is called once the machine is there."""

    next: enum.Enum
    action: Callable[..., object] | None = None


Table = Mapping[tuple[enum.Enum, enum.Enum], Transition]
"""From a state and an input to a transition."""


def transition_table(
    *rows: tuple[enum.Enum, enum.Enum, enum.Enum, Callable[..., object] | None],
) -> Table:
    """Make a table of rows: a state, an input, the next state, and the action."""
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


def diagram(machine: type[StateMachine]) -> str:
    """Draw the transitions of ``machine`` as a state diagram for Mermaid."""
    return "".join(f"{line}\n" for line in _lines(machine))


def _lines(machine: type[StateMachine]) -> Iterator[str]:
    yield "stateDiagram-v2"
    states = list(machine.states)
    for state in states:
        yield f'    state "{state.value}" as {state.name}'
    yield f"    [*] --> {states[0].name}"
    for (state, name), transition in machine.transitions.items():
        action = "" if transition.action is None else f" / {_words(transition.action)}"
        yield f"    {state.name} --> {transition.next.name} : {name.value}{action}"
    left = {state for state, _ in machine.transitions}
    for state in states:
        if state not in left:
            yield f"    {state.name} --> [*]"


def _words(action: Callable[..., object]) -> str:
    return action.__name__.strip("_").replace("_", " ")
