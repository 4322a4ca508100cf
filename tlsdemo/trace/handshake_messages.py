"""The names of the handshake messages in records that can be read."""

from __future__ import annotations

from tlsdemo.trace.tls_names import RETRY, RETRY_RANDOM, SERVER_HELLO, message_name

MESSAGE_HEADER = 4
"""Bytes of a message header: one for the type, three for the length (RFC 8446, section 4)."""

_RANDOM_BEGINS = MESSAGE_HEADER + 2
_KEPT = _RANDOM_BEGINS + len(RETRY_RANDOM)


class HandshakeReader:
    """Names the messages of one direction, however they are divided among the records.

    At most the first 38 bytes of a message are kept, which are enough to identify it.
    """

    __slots__ = ("_begun_before", "_head", "_names", "_seen", "_size")

    def __init__(self) -> None:
        self._names: list[str] = []
        self._begun_before = False
        self._next_message()

    def feed(self, data: bytes) -> None:
        """Read a piece of a record's content."""
        position = 0
        while position < len(data):
            piece = data[position : position + self._size - self._seen]
            self._head += piece[: _KEPT - len(self._head)]
            self._seen += len(piece)
            position += len(piece)
            if self._seen == MESSAGE_HEADER:
                self._size += int.from_bytes(self._head[1:MESSAGE_HEADER], "big")
            if self._seen == self._size:
                self._names.append(self._name())
                self._begun_before = False
                self._next_message()

    def take(self) -> tuple[str, ...]:
        """Return the names of the messages, or parts of messages, in the record that has ended."""
        if self._seen:
            self._names.append(self._name())
            self._begun_before = True
        names, self._names = tuple(self._names), []
        return names

    def _next_message(self) -> None:
        self._head = bytearray()
        self._seen = 0
        # Until the header is complete.
        self._size = MESSAGE_HEADER

    def _name(self) -> str:
        name = message_name(self._head[0])
        if self._head[0] == SERVER_HELLO and self._head[_RANDOM_BEGINS:] == RETRY_RANDOM:
            name = RETRY
        return f"{name} (continued)" if self._begun_before else name
