"""After the upgrade: the plain protocol goes on with a backend that had no part in it.

Theory of operation.  A proxy ends the upgrade by itself and connects to its backend only once the
client is secure, so nobody who is not gets that far.  The backend then greets a client that has
been greeted already, and may offer TLS to one that has it.  A handover sets that right, on both
ways: the backend's greeting is taken off, and the dialect's offer of TLS is taken out of what the
backend says; everything else is the backend's own word.  That is enough for both sides to agree:
every dialect here has the client forget what it learned before TLS and ask anew (RFC 3207, 4.2;
RFC 9051, 6.2.1; RFC 2595, 4).

A second request for TLS is passed on under a name that no backend knows.  The backend refuses
that, in its own words and in the right place among its other answers.
"""

from __future__ import annotations

from tlsdemo.upgrade.dialogue import MAX_LINE


class HandoverFailed(Exception):
    """The backend does not want this client, or does not speak the dialect; the text says why."""


class Handover:
    """Passes everything on as it is: for dialects in which the client speaks first."""

    ready = True
    """Whether the backend has greeted, if it does; before that, nothing is to be said to it."""

    def from_backend(self, data: bytes) -> bytes:
        """Return what of the backend's ``data`` goes to the client.

        Raises HandoverFailed if the backend's greeting turns the client away.
        """
        return data

    def from_client(self, data: bytes) -> bytes:
        """Return what of the client's ``data`` goes to the backend."""
        return data


class Lines:
    """Cuts a stream into lines, with their ends, and passages of a given length.

    A line may be of any length: what is longer than ``most`` is handed on in parts, none of which
    but the last ends in LF, so that nothing is held back for ever.
    """

    def __init__(self, most: int = MAX_LINE) -> None:
        self._most = most
        self._input = bytearray()
        self._verbatim = 0
        self._in_long_line = False

    def feed(self, data: bytes) -> None:
        """Add to the input."""
        self._input += data

    def pass_next(self, size: int) -> None:
        """Have the next ``size`` bytes not looked at."""
        self._verbatim = size

    def take(self) -> tuple[bytes, bool] | None:
        """Return the next piece and whether it is a whole line; ``None`` if none is complete."""
        if not self._input:
            return None
        if self._verbatim:
            piece = self._cut(min(self._verbatim, len(self._input)))
            self._verbatim -= len(piece)
            return piece, False
        end = self._input.find(b"\n")
        if end < 0 and len(self._input) < self._most:
            return None
        whole = end >= 0 and not self._in_long_line
        self._in_long_line = end < 0
        return self._cut(end + 1 or len(self._input)), whole

    def _cut(self, size: int) -> bytes:
        piece = bytes(self._input[:size])
        del self._input[:size]
        return piece


def text(line: bytes) -> bytes:
    """Return a line without its end."""
    return line.removesuffix(b"\n").removesuffix(b"\r")
