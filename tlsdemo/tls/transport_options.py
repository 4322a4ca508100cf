"""How the application's transport delivers and sends."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Delivery(enum.Enum):
    """How cleartext is delivered to the application.

    ``RECORD``: one ``dataReceived`` for each TLS record.  ``COALESCED``: one ``dataReceived`` for
    everything that can be decrypted at once.  ``READABLE``: on demand, from a ``PullSource``.
    """

    RECORD = "record"
    COALESCED = "coalesced"
    READABLE = "readable"


class Send(enum.Enum):
    """How writes become TLS records.

    ``RAW``: each write becomes records of its own.  ``BUFFERED``: the writes of one turn of the
    reactor are joined, and sent as full records in its next; at once when there are 64 KiB.
    Twisted's ``startTLS`` does the same, but with some 64,000 bytes, of which the last fill no
    record.
    """

    RAW = "raw"
    BUFFERED = "buffered"


@dataclass(frozen=True)
class TransportOptions:
    """How a stream delivers and sends, in whatever mode; the defaults are those of ``pair``.

    Attributes:
        delivery: How cleartext is delivered to the application.
        send: How writes become TLS records.
        high_water: Bytes that ``Delivery.READABLE`` keeps before it pauses the wire.
    """

    delivery: Delivery = Delivery.COALESCED
    send: Send = Send.RAW
    high_water: int = 1 << 16
