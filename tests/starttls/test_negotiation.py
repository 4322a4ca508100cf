from __future__ import annotations

from typing import ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.transcripts import TranscriptTestCase, cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.negotiation import (
    BEGIN,
    MAX_EVENTS,
    MAX_PLAIN,
    OTHER,
    Command,
    Event,
    Negotiation,
    Refuse,
    Rule,
    Say,
    State,
    Switch,
    Table,
)

STARTTLS = b"STARTTLS\r\n"
OK = Say(b"OK\r\n")
BEYOND = Refuse(
    Cause.TOO_MUCH_PLAINTEXT,
    "more than 30 bytes came before TLS",
    b"ERROR plain bytes where TLS was to start\r\n",
)


class StateTests(SynchronousTestCase):
    def test_is_final_when_all_is_said(self) -> None:
        final = [state for state in State if state.final]
        self.assertEqual(final, [State.SWITCHED, State.REFUSED])


class EndTests(SynchronousTestCase):
    def test_is_never_fed_again(self) -> None:
        switched, refused = LineServer(), LineServer(max_plain=1)
        switched.receive(STARTTLS)
        refused.receive(STARTTLS)
        for negotiation in (switched, refused):
            for data in (b"", b"\x16", STARTTLS):
                self.assertRaises(RuntimeError, negotiation.receive, data)

    def test_may_be_fed_nothing_before(self) -> None:
        self.assertEqual(LineServer().receive(b""), [])
        self.assertEqual(LineClient().receive(b""), [])

    def test_does_not_come_for_want_of_words(self) -> None:
        self.assertEqual(LineServer().start(), [])
        self.assertEqual(LineServer().nothing_came(), [])
        self.assertEqual(Negotiation().receive(b"anything"), [])


class BoundTests(SynchronousTestCase):
    def test_is_of_all_bytes_together(self) -> None:
        for size in (1, 7, 30):
            negotiation = LineServer(max_plain=30)
            said = [
                each for data in cut(b"0123456\r\n" * 3, size) for each in negotiation.receive(data)
            ]
            self.assertEqual(said, [Say(b"ERROR say STARTTLS\r\n")] * 3)
            self.assertEqual(negotiation.receive(b"012"), [])
            self.assertEqual(negotiation.receive(b"3"), [BEYOND])

    def test_lets_nothing_happen_beyond_it(self) -> None:
        padding = b"0123456789\r\n"
        for size in (1, 7, 1000):
            negotiation = LineServer(max_plain=30)
            for data in cut(padding * 2 + STARTTLS, size):
                if not negotiation.state.final:
                    commands = negotiation.receive(data)
            self.assertEqual(commands[-1], BEYOND)
            self.assertNotIn(OK, commands)

    def test_is_not_of_what_belongs_to_tls(self) -> None:
        padding = b"01234567\r\n"
        hello = b"\x16" + b"\x03" * MAX_PLAIN
        negotiation = LineServer(max_plain=30)
        commands = negotiation.receive(padding * 2 + STARTTLS + hello)
        self.assertEqual(commands[-2:], [OK, Switch(leftover=hello)])

    def test_does_not_hide_what_is_injected(self) -> None:
        negotiation = LineServer(max_plain=len(STARTTLS))
        (refuse,) = negotiation.receive(STARTTLS + b"x" * 100)
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.INJECTED_PLAINTEXT)
        self.assertIn("100 bytes", refuse.detail)
        client = LineClient(max_plain=4)
        client.start()
        (refuse,) = client.receive(b"OK\r\nx")
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.INJECTED_PLAINTEXT)

    def test_costs_nothing_worth_measuring(self) -> None:
        negotiation = LineServer()
        fed = 0
        while not negotiation.state.final:
            self.assertLessEqual(len(negotiation.receive(b"x" if fed % 100 else b"\n")), 1)
            fed += 1
        self.assertEqual(fed, MAX_PLAIN + 1)

    def test_is_of_things_said_as_well(self) -> None:
        for size in (1, 7, 1 << 20):
            negotiation = LineServer()
            said: list[Command] = []
            for data in cut(b"\n" * (1 << 20), size):
                said += negotiation.receive(data)
                if negotiation.state.final:
                    break
            *said, refuse = said
            self.assertEqual(len(said), MAX_EVENTS)
            assert isinstance(refuse, Refuse)
            self.assertEqual(refuse.detail, "more than 1000 things said before TLS")


class Echo(Negotiation):
    """Answers a byte with what it was."""

    table: ClassVar[Table] = {
        (State.START, BEGIN): Rule(State.START, b"?"),
        (State.START, "!"): Rule(State.REFUSED, b"no {byte}", detail="{byte} was said"),
        (State.START, ">"): Rule(State.SWITCHED, b"{byte}", alpn=b"echo"),
        (State.START, " "): Rule(State.START),
        (State.START, OTHER): Rule(State.START, b"<{byte}>"),
    }

    def _next_event(self) -> Event | None:
        if not self._input:
            return None
        byte = bytes(self._input[:1])
        del self._input[:1]
        return Event(byte.decode("latin-1"), {b"byte": byte})


class TableTests(TranscriptTestCase):
    def test_is_followed_event_by_event(self) -> None:
        self.check(
            Echo(),
            r"""
            S+ ?
            C+ a \xff
            S+ <a>
            S+ <\xff>
            """,
        )

    def test_says_why_it_refuses_in_words_that_are_safe_to_log(self) -> None:
        self.check(Echo(), "S+ ?\nC+ !\nS+ no !\nS* protocol error: '!' was said")

    def test_may_demand_alpn(self) -> None:
        negotiation = Echo()
        self.assertEqual(negotiation.receive(b">"), [Say(b">"), Switch(alpn=b"echo")])
