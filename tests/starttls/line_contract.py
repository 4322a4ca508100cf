"""What every dialect of lines promises, whichever its words are."""

from __future__ import annotations

from typing import ClassVar

from tests.starttls.transcripts import END, TranscriptTestCase, lines_of, told, unescaped
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_LINE, Command, Negotiation, Refuse, Switch

INJECTED = "INJECTED"
HELLO = r"\x16\x03\x01\x02"
BEHIND = "injected plaintext: {} bytes arrived after the last message before TLS"


class Contract(TranscriptTestCase):
    """``before`` is the transcript up to the words that ask for TLS, without them."""

    negotiation: ClassVar[type[Negotiation]]
    before: ClassVar[str] = ""
    asks: ClassVar[str]
    agrees: ClassVar[str]
    farewell: ClassVar[str]

    def check_lines(self, negotiation: Negotiation, *lines: str) -> None:
        self.check(negotiation, "\n".join(lines))


class Server(Contract):
    """What a server promises: lines are its own in ``agrees`` and ``farewell``."""

    def prepared(self, guard: bool = True) -> Negotiation:
        """A server that is about to be asked for TLS."""
        negotiation = self.negotiation(guard)
        self.check(negotiation, self.before)
        return negotiation

    def check_asked(self, negotiation: Negotiation, *lines: str) -> None:
        self.check_further(negotiation, "\n".join(lines))

    def test_starts_tls_when_it_is_asked(self) -> None:
        agreed = [f"C: {self.asks}", f"S: {self.agrees}", "S* TLS"]
        self.check_asked(self.prepared(), *agreed)

    def test_does_not_mind_case_nor_a_bare_line_feed(self) -> None:
        for asks in (self.asks.swapcase(), self.asks.lower(), self.asks.title()):
            # A tag does have a case.
            agrees = self.agrees.replace(self.asks.split()[0], asks.split()[0])
            self.check_asked(self.prepared(), f"C+ {asks}\\n", f"S: {agrees}", "S* TLS")

    def test_takes_no_carriage_return_alone_for_a_line_end(self) -> None:
        negotiation = self.prepared()
        self.assertEqual(negotiation.receive(f"{self.asks}\r".encode() * 3), [])
        self.assertNotIn(Switch(), negotiation.receive(b"\r\n"))

    def test_has_no_tls_for_words_that_are_only_like_those(self) -> None:
        for tail in ("X", " X", "\0", "\t", "\x7f", "\xff", "\r"):
            commands = self.prepared().receive(f"{self.asks}{tail}".encode("latin-1") + END)
            self.assertFalse([each for each in commands if isinstance(each, Switch)], tail)
        *words, last = self.asks.split()
        for head in ("X", " ", "\0", "\t", "\xff", "\r"):
            line = " ".join([*words, head + last]).encode("latin-1")
            commands = self.prepared().receive(line + END)
            self.assertFalse([each for each in commands if isinstance(each, Switch)], head)

    def test_refuses_what_is_injected(self) -> None:
        self.check_asked(
            self.prepared(),
            f"C: {self.asks}",
            f"C: {INJECTED}",
            f"S: {self.farewell}",
            f"S* {BEHIND.format(10)}",
        )

    def test_refuses_what_is_injected_wherever_it_is_cut(self) -> None:
        asks, injected = self.asks.encode() + END, INJECTED.encode() + END
        for at in range(len(asks + injected) + 1):
            negotiation = self.prepared()
            first, second = (asks + injected)[:at], (asks + injected)[at:]
            commands: list[Command] = negotiation.receive(first)
            if not negotiation.state.final:
                commands += negotiation.receive(second)
            last = commands[-1]
            if at == len(asks):
                # What comes in a piece of its own goes to TLS, which knows what to do with it.
                self.assertEqual(last, Switch())
            else:
                assert isinstance(last, Refuse)
                self.assertEqual((last.cause, len(commands)), (Cause.INJECTED_PLAINTEXT, 1))

    def test_lets_what_is_injected_pass_without_its_guard(self) -> None:
        self.check_asked(
            self.prepared(guard=False),
            f"C: {self.asks}",
            f"C: {INJECTED}",
            f"S: {self.agrees}",
            rf"S* TLS, and injected b'{INJECTED}\r\n'",
        )

    def test_takes_the_beginning_of_a_client_hello_for_one(self) -> None:
        for guard in (True, False):
            self.check_asked(
                self.prepared(guard),
                f"C: {self.asks}",
                f"C+ {HELLO}",
                f"S: {self.agrees}",
                f"S* TLS, beginning with b'{HELLO}'",
            )

    def test_bounds_a_line(self) -> None:
        self.check_lines_are_bounded(self.negotiation(), MAX_LINE, self.farewell)
        self.check_lines_are_bounded(self.negotiation(max_line=50), 50, self.farewell)

    def test_answers_garbage_line_by_line(self) -> None:
        negotiation = self.negotiation()
        negotiation.start()
        garbage = (
            b"\0",
            b"\xff\xfe\xfd",
            b"\r",
            b" ",
            b"\x16\x03\x01",
            b"GET / HTTP/1.1",
            b"{",
            b"}",
        )
        for line in garbage:
            (said,) = told("S", negotiation.receive(line + END))
            self.assertRegex(said, "^S: [ -~]+$")


class Client(Contract):
    """What a client promises; ``asks`` is its own, ``farewell`` too."""

    def test_starts_tls_when_that_is_agreed_to(self) -> None:
        self.check_lines(
            self.negotiation(),
            *lines_of(self.before),
            f"C: {self.asks}",
            f"S: {self.agrees}",
            "C* TLS",
        )

    def test_does_not_mind_a_bare_line_feed(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.asks}", f"S: {self.agrees}", "C* TLS"]
        bare = [rf"S+ {line[3:]}\n" if line[0] == "S" else line for line in lines]
        self.check_lines(self.negotiation(), *bare)

    def test_refuses_what_is_injected_behind_the_go_ahead(self) -> None:
        for injected, size in ((f"S: {INJECTED}", 10), (f"S+ {HELLO}", 4), ("S+ x", 1)):
            self.check_lines(
                self.negotiation(),
                *lines_of(self.before),
                f"C: {self.asks}",
                f"S: {self.agrees}",
                injected,
                f"C* {BEHIND.format(size)}",
            )

    def test_refuses_what_comes_before_its_turn(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.asks}"]
        turns = [at for at, line in enumerate(lines) if line[0] == "C" and at]
        for at in turns:
            self.check_lines(
                self.negotiation(),
                *lines[:at],
                f"S: {INJECTED}",
                lines[at],
                f"C: {self.farewell}",
                "C* injected plaintext: 10 bytes arrived before the command that they answer",
            )

    def test_takes_all_answers_at_once_without_its_guard(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.asks}", f"S: {self.agrees}"]
        ours = [line for line in lines if line[0] == "C"]
        theirs = [line for line in lines if line[0] == "S"]
        greeted_first = [] if lines[0][0] == "S" else [ours.pop(0)]
        self.check_lines(
            self.negotiation(guard=False),
            *greeted_first,
            *theirs,
            "S: INJECTED",
            *ours,
            rf"C* TLS, and injected b'{INJECTED}\r\n'",
        )

    def test_bounds_a_line(self) -> None:
        self.check_lines_are_bounded(self.negotiation(), MAX_LINE, self.farewell)
        self.check_lines_are_bounded(self.negotiation(max_line=50), 50, self.farewell)

    def test_has_no_tls_for_a_go_ahead_that_is_only_like_one(self) -> None:
        word = self.agrees.split()[0]
        for answer in (f"{word}X", f"X{word}", f" {word}", f"{word}\\x00", f"\\xff{word}", ""):
            negotiation = self.negotiation()
            self.check_lines(negotiation, *lines_of(self.before), f"C: {self.asks}")
            commands = negotiation.receive(unescaped(answer) + END)
            self.assertFalse([each for each in commands if isinstance(each, Switch)], answer)
