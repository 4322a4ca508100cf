from __future__ import annotations

from typing import Any, ClassVar

from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.transcripts import TranscriptTestCase, cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.line_negotiation import LineNegotiation
from tlsdemo.starttls.negotiation import (
    CONNECTED,
    MAX_MESSAGES,
    MAX_PLAIN,
    OTHER,
    Command,
    Message,
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
    "more than 30 bytes before TLS",
    b"ERROR plain bytes where TLS was to start\r\n",
)


class StateTests(SynchronousTestCase):
    def test_is_final_after_a_switch_or_a_refusal(self) -> None:
        final = [state for state in State if state.final]
        self.assertEqual(final, [State.SWITCHED, State.REFUSED])


class EndTests(SynchronousTestCase):
    def test_must_not_be_fed_again(self) -> None:
        switched, refused = LineServer(), LineServer(max_plain=1)
        switched.receive(STARTTLS)
        refused.receive(STARTTLS)
        for negotiation in (switched, refused):
            for data in (b"", b"\x16", STARTTLS):
                self.assertRaises(RuntimeError, negotiation.receive, data)

    def test_may_be_fed_nothing_before_the_end(self) -> None:
        self.assertEqual(LineServer().receive(b""), [])
        self.assertEqual(LineClient().receive(b""), [])

    def test_does_not_come_without_a_message(self) -> None:
        self.assertEqual(LineServer().start(), [])
        self.assertEqual(LineServer().nothing_came(), [])
        self.assertEqual(Negotiation().receive(b"anything"), [])


class LimitTests(SynchronousTestCase):
    def test_applies_to_all_bytes_together(self) -> None:
        for size in (1, 7, 30):
            negotiation = LineServer(max_plain=30)
            commands = [
                each for data in cut(b"0123456\r\n" * 3, size) for each in negotiation.receive(data)
            ]
            self.assertEqual(commands, [Say(b"ERROR say STARTTLS\r\n")] * 3)
            self.assertEqual(negotiation.receive(b"012"), [])
            self.assertEqual(negotiation.receive(b"3"), [BEYOND])

    def test_hides_everything_beyond_it(self) -> None:
        padding = b"0123456789\r\n"
        for size in (1, 7, 1000):
            negotiation = LineServer(max_plain=30)
            for data in cut(padding * 2 + STARTTLS, size):
                if not negotiation.state.final:
                    commands = negotiation.receive(data)
            self.assertEqual(commands[-1], BEYOND)
            self.assertNotIn(OK, commands)

    def test_does_not_apply_to_what_belongs_to_tls(self) -> None:
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

    def test_is_reached_byte_by_byte_with_at_most_one_answer_each(self) -> None:
        negotiation = LineServer()
        fed = 0
        while not negotiation.state.final:
            self.assertLessEqual(len(negotiation.receive(b"x" if fed % 100 else b"\n")), 1)
            fed += 1
        self.assertEqual(fed, MAX_PLAIN + 1)

    def test_applies_to_the_number_of_messages_as_well(self) -> None:
        for size in (1, 7, 1 << 20):
            negotiation = LineServer()
            commands: list[Command] = []
            for data in cut(b"\n" * (1 << 20), size):
                commands += negotiation.receive(data)
                if negotiation.state.final:
                    break
            *answers, refuse = commands
            self.assertEqual(len(answers), MAX_MESSAGES)
            assert isinstance(refuse, Refuse)
            self.assertEqual(refuse.detail, "more than 1000 messages before TLS")


class Echo(Negotiation):
    """Answers each byte with itself."""

    table: ClassVar[Table] = {
        (State.START, CONNECTED): Rule(State.START, b"?"),
        (State.START, "!"): Rule(State.REFUSED, b"no {byte}", detail="{byte} was sent"),
        (State.START, ">"): Rule(State.SWITCHED, b"{byte}", alpn=b"echo"),
        (State.START, " "): Rule(State.START),
        (State.START, OTHER): Rule(State.START, b"<{byte}>"),
    }

    def _next_message(self) -> Message | None:
        if not self._input:
            return None
        byte = bytes(self._input[:1])
        del self._input[:1]
        return Message(byte.decode("latin-1"), {b"byte": byte})


class TableTests(TranscriptTestCase):
    def test_is_followed_message_by_message(self) -> None:
        self.check(
            Echo(),
            r"""
            S+ ?
            C+ a \xff
            S+ <a>
            S+ <\xff>
            """,
        )

    def test_gives_details_that_are_safe_to_log(self) -> None:
        self.check(Echo(), "S+ ?\nC+ !\nS+ no !\nS* protocol error: '!' was sent")

    def test_may_demand_alpn(self) -> None:
        negotiation = Echo()
        self.assertEqual(negotiation.receive(b">"), [Say(b">"), Switch(alpn=b"echo")])


class Chat(LineNegotiation):
    """A client whose server may send a NOTICE at any time, as an IRC server does."""

    is_client = True
    refusal = b"QUIT\r\n"
    table: ClassVar[Table] = {
        (State.START, CONNECTED): Rule(State.LISTING, b"CAP LS\r\n"),
        (State.LISTING, "NOTICE"): Rule(State.LISTING),
        (State.LISTING, "CAP"): Rule(State.REQUESTED, b"STARTTLS\r\n"),
        (State.LISTING, OTHER): Rule(State.REFUSED, detail="{line}"),
        (State.REQUESTED, "NOTICE"): Rule(State.REQUESTED),
        (State.REQUESTED, "PING"): Rule(State.REQUESTED, b"PONG\r\n"),
        (State.REQUESTED, "WAIT"): Rule(State.ANSWERED),
        (State.REQUESTED, "670"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): Rule(State.REFUSED, detail="{line}"),
        (State.ANSWERED, OTHER): Rule(State.ANSWERED),
    }

    def _parse(self, line: bytes) -> Message:
        return Message(line.decode("latin-1").partition(" ")[0], {b"line": line})


REQUEST = Say(b"STARTTLS\r\n")


class UnsolicitedMessageTests(SynchronousTestCase):
    """What a client receives together with the message before it, and so before it could answer."""

    def received(self, *pieces: bytes, **options: Any) -> list[Command]:
        client = Chat(**options)
        client.start()
        commands: list[Command] = []
        for piece in pieces:
            if not client.state.final:
                commands += client.receive(piece)
        return commands

    def check_injected(self, count: int, *pieces: bytes) -> None:
        *before, last = self.received(*pieces)
        self.assertEqual(before, [REQUEST])
        detail = f"{count} bytes arrived before the command that they answer"
        self.assertEqual(last, Refuse(Cause.INJECTED_PLAINTEXT, detail, b"QUIT\r\n"))

    def test_is_accepted_if_it_changes_nothing(self) -> None:
        text = b"NOTICE one\r\nCAP\r\nNOTICE two\r\nNOTICE three\r\n"
        for at in range(len(text) + 1):
            self.assertEqual(self.received(text[:at], text[at:]), [REQUEST], at)
            self.assertEqual(
                self.received(text[:at], text[at:], b"670 go\r\n"), [REQUEST, Switch()], at
            )

    def test_is_refused_if_it_starts_tls_changes_the_state_or_is_answered(self) -> None:
        for early in (b"670 go\r\n", b"WAIT\r\n", b"PING\r\n", b"anything else\r\n"):
            self.check_injected(len(early), b"CAP\r\n" + early)
            self.check_injected(len(early), b"CAP\r\nNOTICE\r\n" + early)

    def test_is_refused_if_only_a_part_of_it_came_too_early(self) -> None:
        go_ahead = b"670 go\r\n"
        for at in range(1, len(go_ahead)):
            self.check_injected(at, b"CAP\r\n" + go_ahead[:at], go_ahead[at:])
            self.check_injected(at, b"CAP\r\nNOTICE\r\n" + go_ahead[:at], go_ahead[at:])

    def test_is_refused_after_the_go_ahead(self) -> None:
        for rest in (b"NOTICE\r\n", b"\x16\x03\x01"):
            *_, last = self.received(b"CAP\r\n", b"670 go\r\n" + rest)
            assert isinstance(last, Refuse)
            self.assertEqual(last.cause, Cause.INJECTED_PLAINTEXT)

    def test_counts_towards_every_limit(self) -> None:
        for options, text in (
            ({"max_plain": 40}, b"CAP\r\n" + b"NOTICE\r\n" * 9),
            ({"max_line": 20}, b"CAP\r\nNOTICE" + b"x" * 20 + b"\r\n"),
            ({}, b"CAP\r\n" + b"NOTICE\r\n" * MAX_MESSAGES),
        ):
            first, last = self.received(text, **options)
            self.assertEqual(first, REQUEST)
            assert isinstance(last, Refuse)
            self.assertIn(last.cause, (Cause.TOO_MUCH_PLAINTEXT, Cause.INJECTED_PLAINTEXT))

    def test_is_not_looked_for_without_the_guard(self) -> None:
        self.assertEqual(
            self.received(b"CAP\r\n670 go\r\nINJECTED", guard=False),
            [REQUEST, Switch(injected=b"INJECTED")],
        )
