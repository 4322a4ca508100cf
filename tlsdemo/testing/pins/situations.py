"""What a pinned protocol is put through: the scenarios of ``tlsdemo events``, and adversaries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from tlsdemo.lab.scenarios import SCENARIOS, Action, Fault, FaultAction, Scenario
from tlsdemo.trace.model import End


@dataclass(frozen=True)
class Situation:
    """A scenario, and what the peer does besides.

    Attributes:
        scenario: One of ``tlsdemo events``, or one like them.
        early_hello: Whether a client sends its ClientHello in the segment of its request for TLS.
        reads_slowly: Whether the peer reads a little at a time, and only when nothing else happens.
        answers_close: Whether the peer answers a close_notify.
    """

    scenario: Scenario
    early_hello: bool = False
    reads_slowly: bool = False
    answers_close: bool = True

    @property
    def name(self) -> str:
        """What tests call it."""
        return self.scenario.name

    @property
    def fault_of_wire(self) -> Fault | None:
        """What goes wrong between the ends.

        What is injected in plaintext comes from the peer, who knows where the request is.
        """
        fault = self.scenario.fault
        return None if fault is None or fault.action is FaultAction.APPEND else fault


_ADVERSARIES = (
    Situation(
        Scenario(
            "hello in the segment of the request",
            "The client sends its ClientHello right behind its request, without a go-ahead.",
            needs_negotiation=True,
        ),
        early_hello=True,
    ),
    Situation(
        Scenario("slow reader", "The peer reads 1 KiB at a time, whenever nothing else happens."),
        reads_slowly=True,
    ),
    Situation(
        Scenario("close_notify never answered", "The peer ignores a close_notify, and stays."),
        answers_close=False,
    ),
)

_ALIASES = {
    "silent in mid-handshake": "silent in the handshake",
    "truncation": "EOF after the handshake",
}
"""Other names, by which attacks are known."""

SITUATIONS: Mapping[str, Situation] = {
    **{name: Situation(scenario) for name, scenario in SCENARIOS.items()},
    **{each.name: each for each in _ADVERSARIES},
}
"""All of them by name: first the scenarios of ``tlsdemo events``, then the adversaries."""


def find_situation(name: str) -> Situation:
    """Return the situation of that name, or of that alias.

    Raises:
        ValueError: If there is none; the text names those that are similar, or all.
    """
    found = SITUATIONS.get(_ALIASES.get(name, name))
    if found is None:
        similar = get_close_matches(name, [*SITUATIONS, *_ALIASES]) or list(SITUATIONS)
        raise ValueError(f"no scenario is called {name!r}; there are {', '.join(similar)}")
    return found


def why_impossible(situation: Situation, pinned: End, negotiates: bool) -> str:
    """Return why the ``pinned`` end cannot be put through it, or ``""``.

    ``negotiates``: whether there is plaintext before TLS.
    """
    scenario = situation.scenario
    if scenario.s_client_command:
        return "the peer of a pin is Python's ssl module, which can do that in no version of TLS"
    if scenario.needs_negotiation and not negotiates:
        return "there is no plaintext before TLS; name a dialect"
    if scenario.rejected_by is pinned:
        return "whether the pinned end rejects its peer is up to its own code"
    fault = scenario.fault
    if fault is not None and situation.fault_of_wire is None and fault.sender is pinned:
        return "what is injected comes from the peer"
    if pinned is End.CLIENT and scenario.resumes:
        return "whether a client resumes a session is up to its own code"
    if pinned is End.CLIENT and situation.early_hello:
        return "it is a client that sends it"
    return ""


def peer_acts(situation: Situation, peer: End) -> bool:
    """Return whether the ``peer`` of the pinned end performs the final action.

    A FIN or a RST from the network is the peer's as well; nobody else is there.  A peer that does
    not answer a close_notify waits for one.
    """
    scenario = situation.scenario
    if not situation.answers_close:
        return False
    return scenario.action_by is peer or scenario.action in (Action.CUT, Action.RESET)
