from __future__ import annotations

import enum

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.state_machine import StateMachine, diagram, transition_table


class _State(enum.Enum):
    SHUT = "shut"
    OPEN = "open"
    BROKEN = "broken"


class _Input(enum.Enum):
    PUSH = "push"
    KICK = "kick"


class Door(StateMachine):
    def __init__(self) -> None:
        self._state = _State.SHUT
        self.log: list[str] = []

    def push(self, who: str) -> None:
        self._input(_Input.PUSH, who)

    def kick(self) -> None:
        self._input(_Input.KICK)

    @property
    def state(self) -> _State:
        state: _State = self._state
        return state

    def _ring_bell(self, who: str) -> None:
        self.log.append(f"{who}, {self.state.value}")

    states = _State
    transitions = transition_table(
        (_State.SHUT, _Input.PUSH, _State.OPEN, _ring_bell),
        (_State.SHUT, _Input.KICK, _State.BROKEN, None),
    )


class StateMachineTests(SynchronousTestCase):
    def test_the_action_is_called_with_the_arguments_after_the_transition(self) -> None:
        door = Door()
        door.push("Ada")
        self.assertEqual((door.state, door.log), (_State.OPEN, ["Ada, open"]))

    def test_an_input_without_a_transition_is_ignored(self) -> None:
        door = Door()
        door.push("Ada")
        door.push("Bob")
        door.kick()
        self.assertEqual((door.state, door.log), (_State.OPEN, ["Ada, open"]))

    def test_a_transition_need_not_have_an_action(self) -> None:
        door = Door()
        door.kick()
        self.assertEqual((door.state, door.log), (_State.BROKEN, []))

    def test_the_diagram_has_states_inputs_and_actions(self) -> None:
        self.assertEqual(
            diagram(Door).splitlines(),
            [
                "stateDiagram-v2",
                '    state "shut" as SHUT',
                '    state "open" as OPEN',
                '    state "broken" as BROKEN',
                "    [*] --> SHUT",
                "    SHUT --> OPEN : push / ring bell",
                "    SHUT --> BROKEN : kick",
                "    OPEN --> [*]",
                "    BROKEN --> [*]",
            ],
        )
