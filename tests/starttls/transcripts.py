"""Transcripts of a negotiation: one line for each line that is sent, in the order of sending.

``C:`` and ``S:`` are lines of the client and of the server; successive lines of the peer arrive in
one piece.  ``C+`` and ``S+`` are bytes without a line end.  ``C*`` and ``S*`` say what a side does
besides sending: ``TLS``, or the cause and the detail of a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.negotiation import Command, Negotiation, Refuse, Switch

END = b"\r\n"


def lines_of(transcript: str) -> list[str]:
    """The lines of a transcript, without indentation."""
    return [line.strip() for line in transcript.splitlines() if line.strip()]


def side(negotiation: Negotiation) -> str:
    """``C`` or ``S``."""
    return "C" if negotiation.is_client else "S"


def rendered(who: str, commands: Sequence[Command]) -> list[str]:
    """Commands, as lines of a transcript."""
    lines: list[str] = []
    for command in commands:
        if isinstance(command, Switch):
            line = f"{who}* TLS"
            line += f", beginning with {command.leftover!r}" if command.leftover else ""
            line += f", and injected {command.injected!r}" if command.injected else ""
            lines.append(line)
            continue
        lines += _rendered_bytes(who, command.data)
        if isinstance(command, Refuse):
            lines.append(f"{who}* {command.cause.value}: {command.detail}")
    return lines


def _rendered_bytes(who: str, data: bytes) -> list[str]:
    *lines, rest = [ascii(each)[2:-1] for each in data.split(END)]
    return [f"{who}: {each}".rstrip() for each in lines] + ([f"{who}+ {rest}"] if rest else [])


def unescaped(text: str) -> bytes:
    """The bytes that a line of a transcript stands for."""
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def _bytes(line: str) -> bytes:
    return unescaped(line[3:]) + (END if line[1] == ":" else b"")


def cut(data: bytes, size: int) -> list[bytes]:
    """``data`` in pieces of ``size`` bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


class TranscriptTestCase(SynchronousTestCase):
    maxDiff = None

    def check(self, negotiation: Negotiation, transcript: str) -> None:
        """Start ``negotiation``, feed it the peer's lines, and compare what it does in between."""
        self._compare(negotiation, transcript, rendered(side(negotiation), negotiation.start()))

    def check_further(self, negotiation: Negotiation, transcript: str) -> None:
        """The same for a negotiation that has been started."""
        self._compare(negotiation, transcript, [])

    def _compare(self, negotiation: Negotiation, transcript: str, actual: list[str]) -> None:
        expected = lines_of(transcript)
        who = side(negotiation)
        piece = b""
        for line, following in zip(expected, [*expected, who][1:], strict=True):
            if line[0] != who:
                piece += _bytes(line)
                actual.append(line)
                if following[0] == who:
                    actual += rendered(who, negotiation.receive(piece))
                    piece = b""
        self.assertEqual(actual, expected)

    def check_conversation(
        self, client: type[Negotiation], server: type[Negotiation], transcript: str
    ) -> None:
        """Connect two sides with each other, in pieces of several sizes."""
        expected = lines_of(transcript)
        for size in (1, 2, 3, 7, 1 << 16):
            self.assertEqual(_conversation(client(), server(), size), expected, size)

    def check_lines_are_bounded(self, negotiation: Negotiation, most: int, last: str) -> None:
        """A line without an end is refused once it has ``most`` bytes; ``last`` is then sent."""
        who = side(negotiation)
        negotiation.start()
        for _ in range(most - 1):
            self.assertEqual(negotiation.receive(b"x"), [])
        self.assertEqual(
            rendered(who, negotiation.receive(b"x")),
            [
                *([f"{who}: {last}"] if last else []),
                f"{who}* too much before TLS: a line of more than {most} bytes",
            ],
        )


def _conversation(client: Negotiation, server: Negotiation, size: int) -> list[str]:
    lines: list[str] = []
    pending = {"C": bytearray(), "S": bytearray()}

    def note(negotiation: Negotiation, commands: list[Command]) -> None:
        for command in commands:
            if not isinstance(command, Switch):
                pending[side(negotiation)] += command.data
            lines.extend(rendered(side(negotiation), [command]))

    note(server, server.start())
    note(client, client.start())
    while pending["C"] or pending["S"]:
        for sender, receiver in ((server, client), (client, server)):
            data = bytes(pending[side(sender)])
            pending[side(sender)].clear()
            for piece in cut(data, size):
                if not receiver.state.final:
                    note(receiver, receiver.receive(piece))
    return lines
