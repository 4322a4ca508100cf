"""Where the words before TLS end, and how they are shown."""

from __future__ import annotations

import re

LONGEST_SHOWN = 40
"""Characters of plain words that are shown, at most."""

_ANY = frozenset(range(256))
_MINOR_VERSIONS = frozenset(range(5))

# What a first record looks like, byte by byte: type, version, length, and the first of its content.
_HELLO = (
    frozenset({22}), frozenset({3}), _MINOR_VERSIONS,
    frozenset(range(0x41)), _ANY,
    frozenset({1, 2}),
)  # fmt: skip
_ALERT = (
    frozenset({21}), frozenset({3}), _MINOR_VERSIONS,
    frozenset({0}), frozenset({2}),
    frozenset({1, 2}),
)  # fmt: skip
_OPENINGS = (_HELLO, _ALERT)

_MAY_BEGIN = re.compile(rb"[\x15\x16]")
_LONGEST_CLEAR = 1 << 14

_ESCAPES = {"\r": "\\r", "\n": "\\n", "\t": "\\t", "\\": "\\\\"}


def find_tls(data: bytes) -> tuple[int, bool]:
    """Return where TLS begins in ``data``, and whether that is certain.

    If it is not, what follows may be the beginning of a record's header and has to be looked at
    again with more; without any such thing, that is the end of ``data``.
    """
    for found in _MAY_BEGIN.finditer(data):
        start = found.start()
        head = data[start : start + len(_HELLO)]
        if any(_begins_like(head, opening) for opening in _OPENINGS):
            if len(head) < len(_HELLO):
                return start, False
            if 0 < int.from_bytes(head[3:5], "big") <= _LONGEST_CLEAR:
                return start, True
    return len(data), False


def _begins_like(head: bytes, opening: tuple[frozenset[int], ...]) -> bool:
    return all(byte in allowed for byte, allowed in zip(head, opening, strict=False))


def shown(words: bytes) -> str:
    """Return the beginning of ``words`` in printable ASCII, the rest escaped as Python does it."""
    text = ""
    for byte in words:
        character = _character(byte)
        if len(text) + len(character) > LONGEST_SHOWN:
            return f"{text}…"
        text += character
    return text


def _character(byte: int) -> str:
    character = chr(byte)
    if character in _ESCAPES:
        return _ESCAPES[character]
    return character if character.isascii() and character.isprintable() else f"\\x{byte:02x}"
