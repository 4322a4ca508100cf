"""How the application's transport delivers and sends."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Delivery(enum.Enum):
    """How cleartext reaches the application: an event a record, a read, or on demand."""

    RECORD = "record"
    COALESCED = "coalesced"
    READABLE = "readable"


class Send(enum.Enum):
    """Whether each write becomes a record of its own, or small writes are joined first."""

    RAW = "raw"
    BUFFERED = "buffered"


@dataclass(frozen=True)
class TransportOptions:
    """How a stream delivers and sends, whatever secures it.

    ``high_water``: bytes that ``Delivery.READABLE`` keeps before it pauses the wire.
    """

    delivery: Delivery = Delivery.RECORD
    send: Send = Send.RAW
    high_water: int = 1 << 16
