"""The states of a stream, and what happens to it."""

from __future__ import annotations

from tlsdemo.state_machine import Symbol


class StreamState(Symbol):
    """The states of a stream."""

    CONNECTING = "connecting"
    OPEN = "open"
    HALF_CLOSED = "half-closed: the peer has finished, and the application has not"
    FINISHED = "half-closed: the application has finished, and the peer has not"
    CLOSING = "closing"
    ABORTED = "aborted"
    CLOSED = "closed"


class StreamInput(Symbol):
    """What happens to a stream."""

    ACCEPTED = "accepted"
    PEER_FINISHED = "the peer has finished"
    FINISH = "loseWriteConnection"
    CLOSE = "loseConnection"
    ABORT = "abort"
    LOST = "connection lost"


USABLE = (
    StreamState.CONNECTING,
    StreamState.OPEN,
    StreamState.HALF_CLOSED,
    StreamState.FINISHED,
)
FINISHING = (StreamState.FINISHED, StreamState.CLOSING)
SECURE = (StreamState.OPEN, StreamState.HALF_CLOSED, StreamState.FINISHED, StreamState.CLOSING)
LIVE = (StreamState.CONNECTING, *SECURE)
