"""A piece of the bytes on the wire: a TLS record, or bytes outside of records."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(enum.Enum):
    """The content types of TLS (RFC 8446, section 5.1), and two kinds of bytes outside of records.

    ``HEARTBEAT`` is from RFC 6520.  ``PLAIN`` is plaintext before TLS.  ``UNREADABLE`` are bytes
    after the start of TLS that are not a record.
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
    """A TLS record, or bytes outside of records.

    Attributes:
        kind: The content type.
        length: Bytes on the wire, including the 5 bytes of the header.
        version: The version in the header, such as ``TLS 1.2`` (TLS 1.3 uses it as well); empty for
            bytes outside of records.
        messages: The content as far as it can be read: the names of handshake messages (RFC 8446),
            the level and description of an alert, or the beginning of plaintext.
        encrypted: Whether the content is encrypted.
    """

    kind: Kind
    length: int
    version: str = ""
    messages: tuple[str, ...] = ()
    encrypted: bool = False
