"""Transcripts: what is said in a dialect, one line each, in the order in which it is said.

``C:`` and ``S:`` are lines of the client and of the server; lines of one side that follow each
other arrive in one piece.  ``C+`` and ``S+`` are bytes without a line's end.  ``C*`` and ``S*``
tell what a side does that is not said: ``TLS``, or the cause and the detail of a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.negotiation import Command, Negotiation, Refuse, Say, Switch

END = b"\r\n"


def lines_of(transcript: str) -> list[str]:
    """The lines of a transcript, whatever it is indented by."""
    return [line.strip() for line in transcript.splitlines() if line.strip()]


def side(negotiation: Negotiation) -> str:
    """``C`` or ``S``."""
    return "C" if negotiation.is_client else "S"


def shown(who: str, said: bytes) -> list[str]:
    """Bytes, as lines of a transcript."""
    *lines, rest = [ascii(each)[2:-1] for each in said.split(END)]
    return [f"{who}: {each}".rstrip() for each in lines] + ([f"{who}+ {rest}"] if rest else [])


def told(who: str, commands: Sequence[Command]) -> list[str]:
    """Commands, as lines of a transcript."""
    lines: list[str] = []
    for command in commands:
        if isinstance(command, Say):
            lines += shown(who, command.data)
        elif isinstance(command, Refuse):
            lines += shown(who, command.data)
            lines.append(f"{who}* {command.cause.value}: {command.detail}")
        else:
            line = f"{who}* TLS"
            line += f", beginning with {command.leftover!r}" if command.leftover else ""
            line += f", and injected {command.injected!r}" if command.injected else ""
            lines.append(line)
    return lines


def unescaped(text: str) -> bytes:
    """The bytes that a line of a transcript shows."""
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def _bytes(line: str) -> bytes:
    return unescaped(line[3:]) + (END if line[1] == ":" else b"")


def cut(data: bytes, size: int) -> list[bytes]:
    """``data`` in pieces of ``size`` bytes."""
    return [data[at : at + size] for at in range(0, len(data), size)]


class TranscriptTestCase(SynchronousTestCase):
    maxDiff = None

    def check(self, negotiation: Negotiation, transcript: str) -> None:
        """Say the other side's lines, and compare what ``negotiation`` says in between."""
        self._compare(negotiation, transcript, told(side(negotiation), negotiation.start()))

    def check_further(self, negotiation: Negotiation, transcript: str) -> None:
        """The same for one that has started before."""
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
                    actual += told(who, negotiation.receive(piece))
                    piece = b""
        self.assertEqual(actual, expected)

    def check_conversation(
        self, client: type[Negotiation], server: type[Negotiation], transcript: str
    ) -> None:
        """Let two sides talk with each other, in pieces of any length."""
        expected = lines_of(transcript)
        for size in (1, 2, 3, 7, 1 << 16):
            self.assertEqual(_conversation(client(), server(), size), expected, size)

    def check_lines_are_bounded(self, negotiation: Negotiation, most: int, farewell: str) -> None:
        """A line without an end is refused once it is as long as ``most`` bytes."""
        who = side(negotiation)
        negotiation.start()
        for _ in range(most - 1):
            self.assertEqual(negotiation.receive(b"x"), [])
        self.assertEqual(
            told(who, negotiation.receive(b"x")),
            [
                *([f"{who}: {farewell}"] if farewell else []),
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
            lines.extend(told(side(negotiation), [command]))

    note(server, server.start())
    note(client, client.start())
    while pending["C"] or pending["S"]:
        for speaker, listener in ((server, client), (client, server)):
            data = bytes(pending[side(speaker)])
            pending[side(speaker)].clear()
            for piece in cut(data, size):
                if not listener.state.final:
                    note(listener, listener.receive(piece))
    return lines
