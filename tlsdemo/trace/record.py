"""One piece of what went over the wire: a TLS record, or bytes that belong to none."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a piece is: the content types of TLS (RFC 8446, section 5.1), and what is no record.

    ``HEARTBEAT`` is from RFC 6520, and rare.  ``PLAIN``: the words before TLS.
    ``UNREADABLE``: bytes that should be a record and are none.
    """

    PLAIN = "plain"
    CHANGE_CIPHER_SPEC = "change_cipher_spec"
    ALERT = "alert"
    HANDSHAKE = "handshake"
    APPLICATION_DATA = "application_data"
    HEARTBEAT = "heartbeat"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Record:
    """One piece, as its header tells it.

    ``length``: bytes on the wire, the header of 5 bytes included.  ``version``: the header's, such
    as ``TLS 1.2`` (which TLS 1.3 writes as well); empty for what is no record.  ``messages``: what
    it holds as far as this can be read: the handshake messages by the names of RFC 8446, an alert
    by its level and description, of plain words the beginning.  ``encrypted``: whether its content
    cannot be read here.
    """

    kind: Kind
    length: int
    version: str = ""
    messages: tuple[str, ...] = ()
    encrypted: bool = False
