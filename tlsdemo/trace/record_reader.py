"""Reads the bytes of one direction as TLS records, as a tap on the wire sees them.

Nothing is decrypted.  Only the header of a record and the first bytes of a handshake message are
kept; the rest is counted.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable

from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_content import ContentReader
from tlsdemo.trace.tls_detection import excerpt, find_tls
from tlsdemo.trace.tls_names import CONTENT_TYPES, version_name

HEADER = 5
"""Bytes of a record header: type, version and length (RFC 8446, section 5.1)."""

LONGEST_CONTENT = (1 << 14) + 2048
"""The maximum bytes of a record's encrypted content (RFC 5246, section 6.2.3)."""

_MAJOR_VERSION = 3

_APPLICATION_DATA = 23


class _State(enum.Enum):
    PLAIN = "plaintext before TLS"
    HEADER = "the header of a record"
    CONTENT = "the content of a record"
    LOST = "unreadable bytes"


class RecordReader:
    """Reads one direction, in pieces of any size, in linear time and bounded memory.

    Bytes are ``PLAIN`` up to the first record that contains a hello or an alert, one piece for each
    piece that is fed; ``shown`` returns what may be shown of such a piece.  All bytes from there on
    have to be records.  After bytes that are not, everything is ``UNREADABLE``, one piece for each
    piece that is fed.
    """

    __slots__ = ("_content", "_head", "_kind", "_left", "_shown", "_size", "_state", "_version")

    def __init__(self, shown: Callable[[bytes], bytes] = bytes) -> None:
        self._shown = shown
        self._state = _State.PLAIN
        # The beginning of a header, or what may be one.
        self._head = b""
        self._content = ContentReader()
        self._kind = Kind.UNREADABLE
        self._version = ""
        # Bytes of the current record's content: all of them, and those not yet received.
        self._size = 0
        self._left = 0

    def feed(self, data: bytes) -> list[Record]:
        """Read the next bytes; returns the records that they complete, in order."""
        records: list[Record] = []
        position = 0
        if self._state is _State.PLAIN:
            data = self._head + data
            position = self._read_plain(data, records)
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
        """Return the application data record at ``position``, if it is complete.

        This is a shortcut, several times as fast, for what most records are.
        """
        if self._head or len(data) < position + HEADER or data[position + 1] != _MAJOR_VERSION:
            return None
        size = data[position + 3] << 8 | data[position + 4]
        if size > LONGEST_CONTENT or len(data) < position + HEADER + size:
            return None
        return _application_data(_MAJOR_VERSION << 8 | data[position + 2], HEADER + size)

    def end(self) -> list[Record]:
        """Return the incomplete record at the end of the connection, if there is one."""
        state, self._state = self._state, _State.LOST
        head, self._head = self._head, b""
        if state is _State.CONTENT:
            messages, _ = self._content.take()
            received, whole = (HEADER + size for size in (self._size - self._left, self._size))
            cut = f"{self._kind.value} cut short, {received} of {whole} bytes"
            return [Record(Kind.UNREADABLE, received, self._version, (*messages, cut))]
        if not head:
            return []
        if state is _State.PLAIN:
            return [self._plain(head)]
        return [Record(Kind.UNREADABLE, len(head), messages=("header cut short",))]

    def _read_plain(self, data: bytes, records: list[Record]) -> int:
        """Read up to where TLS begins or may begin; returns how much of ``data`` has been read."""
        begins, certain = find_tls(data)
        if begins:
            records.append(self._plain(data[:begins]))
        self._head = b"" if certain else data[begins:]
        if certain:
            self._state = _State.HEADER
            return begins
        return len(data)

    def _plain(self, data: bytes) -> Record:
        shown = self._shown(data)
        texts = [excerpt(shown)] if shown else []
        if len(shown) < len(data):
            texts.append(f"({len(data) - len(shown)} bytes that are not shown)")
        return Record(Kind.PLAIN, len(data), messages=tuple(texts))

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
