"""One direction of a connection, read as records: what a tap on the wire is told.

Nothing is decrypted and nothing is kept: of a record its header, of a handshake message the bytes
that name it.  The rest is counted.
"""

from __future__ import annotations

import enum
import functools

from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_content import ContentReader
from tlsdemo.trace.tls_detection import find_tls, shown
from tlsdemo.trace.tls_names import CONTENT_TYPES, version_name

HEADER = 5
"""Bytes: type, version, length (RFC 8446, section 5.1)."""

LONGEST_CONTENT = (1 << 14) + 2048
"""Bytes that a record's content can have at most, encrypted (RFC 5246, section 6.2.3)."""

_MAJOR_VERSION = 3

_APPLICATION_DATA = 23


class _State(enum.Enum):
    WORDS = "words before TLS"
    HEADER = "a record's header"
    CONTENT = "a record's content"
    LOST = "bytes that cannot be told apart any more"


class RecordReader:
    """Reads one direction, in whatever pieces it comes, in linear time and bounded memory.

    Before TLS everything is ``PLAIN``, one piece for each piece that is fed, up to where a first
    record begins: one that holds a hello, or an alert.  From there on everything is records; after
    something that is none, all is ``UNREADABLE``, again piece by piece.
    """

    __slots__ = ("_content", "_head", "_kind", "_left", "_size", "_state", "_version")

    def __init__(self) -> None:
        self._state = _State.WORDS
        # What may become a header, or is the beginning of one.
        self._head = b""
        self._content = ContentReader()
        self._kind = Kind.UNREADABLE
        self._version = ""
        # Bytes of the content of the record at hand: all, and those that are still to come.
        self._size = 0
        self._left = 0

    def feed(self, data: bytes) -> list[Record]:
        """Read what came; returns what is complete with it, in order."""
        records: list[Record] = []
        position = 0
        if self._state is _State.WORDS:
            data = self._head + data
            position = self._read_words(data, records)
        while position < len(data):
            if self._state is _State.HEADER and data[position] == _APPLICATION_DATA:
                whole = self._whole_record(data, position)
                if whole is not None:
                    records.append(whole)
                    position += whole.length
                    continue
            if self._state is _State.HEADER:
                position = self._read_header(data, position)
            elif self._state is _State.CONTENT:
                position = self._read_content(data, position)
            else:
                records.append(Record(Kind.UNREADABLE, len(self._head) + len(data) - position))
                self._head = b""
                break
            if self._state is _State.CONTENT and not self._left:
                messages, encrypted = self._content.take()
                length = HEADER + self._size
                records.append(Record(self._kind, length, self._version, messages, encrypted))
                self._state = _State.HEADER
        return records

    def _whole_record(self, data: bytes, position: int) -> Record | None:
        """Return the application data at ``position``, if all of it is there.

        Most records are such, so this is a way for them that is several times as short.
        """
        if self._head or len(data) < position + HEADER or data[position + 1] != _MAJOR_VERSION:
            return None
        size = data[position + 3] << 8 | data[position + 4]
        if size > LONGEST_CONTENT or len(data) < position + HEADER + size:
            return None
        return _application_data(_MAJOR_VERSION << 8 | data[position + 2], HEADER + size)

    def end(self) -> list[Record]:
        """Return what stays incomplete, as nothing more will come."""
        state, self._state = self._state, _State.LOST
        head, self._head = self._head, b""
        if state is _State.CONTENT:
            messages, _ = self._content.take()
            came, whole = (HEADER + size for size in (self._size - self._left, self._size))
            cut = f"{self._kind.value} cut short, {came} of {whole} bytes"
            return [Record(Kind.UNREADABLE, came, self._version, (*messages, cut))]
        if not head:
            return []
        if state is _State.WORDS:
            return [Record(Kind.PLAIN, len(head), messages=(shown(head),))]
        return [Record(Kind.UNREADABLE, len(head), messages=("header cut short",))]

    def _read_words(self, data: bytes, records: list[Record]) -> int:
        """Read up to where TLS begins, or may begin; returns how much of ``data`` is done with."""
        begins, certain = find_tls(data)
        if begins:
            records.append(Record(Kind.PLAIN, begins, messages=(shown(data[:begins]),)))
        self._head = b"" if certain else data[begins:]
        if certain:
            self._state = _State.HEADER
            return begins
        return len(data)

    def _read_header(self, data: bytes, position: int) -> int:
        begun = len(self._head)
        head = self._head + data[position : position + HEADER - begun]
        if not _can_be_header(head):
            self._state = _State.LOST
            return position
        self._head = head
        if len(head) == HEADER:
            self._kind = CONTENT_TYPES[head[0]]
            self._version = version_name(int.from_bytes(head[1:3], "big"))
            self._size = self._left = int.from_bytes(head[3:], "big")
            self._content.begin(self._kind, self._size)
            self._head = b""
            self._state = _State.CONTENT
        return position + len(head) - begun

    def _read_content(self, data: bytes, position: int) -> int:
        end = min(position + self._left, len(data))
        if self._content.wants_bytes:
            self._content.feed(data[position:end])
        self._left -= end - position
        return end


@functools.lru_cache(maxsize=1024)
def _application_data(version: int, length: int) -> Record:
    return Record(Kind.APPLICATION_DATA, length, version_name(version), (), True)


def _can_be_header(head: bytes) -> bool:
    return (
        head[0] in CONTENT_TYPES
        and head[1:2] in (b"", bytes([_MAJOR_VERSION]))
        and int.from_bytes(head[3:5], "big") <= LONGEST_CONTENT
    )
