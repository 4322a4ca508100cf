"""What both roles of every protocol of lines promise."""

from __future__ import annotations

from typing import ClassVar

from tests.starttls.transcripts import END, TranscriptTestCase, lines_of, rendered, unescaped
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_LINE, Command, Negotiation, Refuse, Switch

INJECTED = "INJECTED"
HELLO = r"\x16\x03\x01\x02"
BEHIND = "injected plaintext: {} bytes arrived after the last message before TLS"


class Contract(TranscriptTestCase):
    """``before`` is the transcript up to the client's ``request``, which ``go_ahead`` answers.

    ``last_line`` is sent to a peer that injects plaintext or exceeds a limit.
    """

    negotiation: ClassVar[type[Negotiation]]
    before: ClassVar[str] = ""
    request: ClassVar[str]
    go_ahead: ClassVar[str]
    last_line: ClassVar[str]
    longest_line: ClassVar[int] = MAX_LINE

    def check_lines(self, negotiation: Negotiation, *lines: str) -> None:
        self.check(negotiation, "\n".join(lines))


class Server(Contract):
    """What a server promises: ``go_ahead`` and ``last_line`` are its own."""

    def server_before_request(self, guard: bool = True) -> Negotiation:
        """A server that has seen everything but the request for TLS."""
        negotiation = self.negotiation(guard)
        self.check(negotiation, self.before)
        return negotiation

    def check_after(self, negotiation: Negotiation, *lines: str) -> None:
        self.check_further(negotiation, "\n".join(lines))

    def test_starts_tls_on_request(self) -> None:
        agreed = [f"C: {self.request}", f"S: {self.go_ahead}", "S* TLS"]
        self.check_after(self.server_before_request(), *agreed)

    def test_ignores_case_and_accepts_a_bare_line_feed(self) -> None:
        for request in (self.request.swapcase(), self.request.lower(), self.request.title()):
            go_ahead = self.go_ahead
            if go_ahead.startswith(self.request.split()[0]):
                # An IMAP tag is case-sensitive.
                go_ahead = go_ahead.replace(self.request.split()[0], request.split()[0])
            self.check_after(
                self.server_before_request(), f"C+ {request}\\n", f"S: {go_ahead}", "S* TLS"
            )

    def test_does_not_take_a_carriage_return_alone_for_a_line_end(self) -> None:
        negotiation = self.server_before_request()
        self.assertEqual(negotiation.receive(f"{self.request}\r".encode() * 3), [])
        self.assertNotIn(Switch(), negotiation.receive(b"\r\n"))

    def test_does_not_start_tls_for_a_command_that_is_only_similar(self) -> None:
        for tail in ("X", " X", "\0", "\t", "\x7f", "\xff", "\r"):
            commands = self.server_before_request().receive(
                f"{self.request}{tail}".encode("latin-1") + END
            )
            self.assertFalse([each for each in commands if isinstance(each, Switch)], tail)
        *words, last = self.request.split()
        for head in ("X", " ", "\0", "\t", "\xff", "\r"):
            line = " ".join([*words, head + last]).encode("latin-1")
            commands = self.server_before_request().receive(line + END)
            self.assertFalse([each for each in commands if isinstance(each, Switch)], head)

    def test_refuses_injected_bytes(self) -> None:
        self.check_after(
            self.server_before_request(),
            f"C: {self.request}",
            f"C: {INJECTED}",
            f"S: {self.last_line}",
            f"S* {BEHIND.format(10)}",
        )

    def test_refuses_injected_bytes_wherever_they_are_cut(self) -> None:
        request, injected = self.request.encode() + END, INJECTED.encode() + END
        for at in range(len(request + injected) + 1):
            negotiation = self.server_before_request()
            first, second = (request + injected)[:at], (request + injected)[at:]
            commands: list[Command] = negotiation.receive(first)
            if not negotiation.state.final:
                commands += negotiation.receive(second)
            last = commands[-1]
            if at == len(request):
                # A separate piece is passed on to TLS, which rejects it.
                self.assertEqual(last, Switch())
            else:
                assert isinstance(last, Refuse)
                self.assertEqual((last.cause, len(commands)), (Cause.INJECTED_PLAINTEXT, 1))

    def test_lets_injected_bytes_pass_without_its_guard(self) -> None:
        self.check_after(
            self.server_before_request(guard=False),
            f"C: {self.request}",
            f"C: {INJECTED}",
            f"S: {self.go_ahead}",
            rf"S* TLS, and injected b'{INJECTED}\r\n'",
        )

    def test_passes_the_beginning_of_a_client_hello_on_to_tls(self) -> None:
        for guard in (True, False):
            self.check_after(
                self.server_before_request(guard),
                f"C: {self.request}",
                f"C+ {HELLO}",
                f"S: {self.go_ahead}",
                f"S* TLS, beginning with b'{HELLO}'",
            )

    def test_limits_a_line(self) -> None:
        self.check_lines_are_bounded(self.negotiation(), MAX_LINE, self.last_line)
        self.check_lines_are_bounded(self.negotiation(max_line=50), 50, self.last_line)

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
            (answer,) = rendered("S", negotiation.receive(line + END))
            self.assertRegex(answer, "^S: [ -~]+$")


class Client(Contract):
    """What a client promises: ``request`` and ``last_line`` are its own."""

    def test_starts_tls_after_the_go_ahead(self) -> None:
        self.check_lines(
            self.negotiation(),
            *lines_of(self.before),
            f"C: {self.request}",
            f"S: {self.go_ahead}",
            "C* TLS",
        )

    def test_accepts_a_bare_line_feed(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.request}", f"S: {self.go_ahead}", "C* TLS"]
        bare = [rf"S+ {line[3:]}\n" if line[0] == "S" else line for line in lines]
        self.check_lines(self.negotiation(), *bare)

    def test_refuses_bytes_injected_after_the_go_ahead(self) -> None:
        for injected, size in ((f"S: {INJECTED}", 10), (f"S+ {HELLO}", 4), ("S+ x", 1)):
            self.check_lines(
                self.negotiation(),
                *lines_of(self.before),
                f"C: {self.request}",
                f"S: {self.go_ahead}",
                injected,
                f"C* {BEHIND.format(size)}",
            )

    def test_refuses_answers_that_arrive_before_its_command(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.request}"]
        turns = [at for at, line in enumerate(lines) if line[0] == "C" and at]
        for at in turns:
            self.check_lines(
                self.negotiation(),
                *lines[:at],
                f"S: {INJECTED}",
                lines[at],
                f"C: {self.last_line}",
                "C* injected plaintext: 10 bytes arrived before the command that they answer",
            )

    def test_accepts_all_answers_at_once_without_its_guard(self) -> None:
        lines = [*lines_of(self.before), f"C: {self.request}", f"S: {self.go_ahead}"]
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

    def test_limits_a_line(self) -> None:
        self.check_lines_are_bounded(self.negotiation(), self.longest_line, self.last_line)
        self.check_lines_are_bounded(self.negotiation(max_line=50), 50, self.last_line)

    def test_does_not_start_tls_for_an_answer_that_is_only_similar(self) -> None:
        word = self.go_ahead.split()[0]
        for answer in (f"{word}X", f"X{word}", f" {word}", f"{word}\\x00", f"\\xff{word}", ""):
            negotiation = self.negotiation()
            self.check_lines(negotiation, *lines_of(self.before), f"C: {self.request}")
            commands = negotiation.receive(unescaped(answer) + END)
            self.assertFalse([each for each in commands if isinstance(each, Switch)], answer)
