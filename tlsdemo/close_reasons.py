"""Close reasons: why a connection ended, as a cause with a name and details."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from tlsdemo.printable import printable


class Cause(enum.Enum):
    """Why a connection ended; the value is its name in logs, summaries and tables.

    Causes are from the point of view of the end that reports them: ``CERTIFICATE_MISSING`` means
    that *the peer* sent none, and ``REJECTED_BY_PEER`` that the peer rejected us.  ``PROBE`` is
    what a server calls a client that goes away without having asked for TLS or without having sent
    anything, as health checkers do.
    """

    CLEAN = "clean"
    PROBE = "probe"
    TRUNCATED = "truncated"
    PLAIN_TIMEOUT = "timeout before TLS"
    IDLE = "idle"
    HANDSHAKE_TIMEOUT = "handshake timeout"
    CLOSING_TIMEOUT = "closing timeout"
    HANDSHAKE_INTERRUPTED = "handshake interrupted"
    INJECTED_PLAINTEXT = "injected plaintext"
    TOO_MUCH_PLAINTEXT = "too much before TLS"
    NO_STARTTLS = "peer offers no TLS"
    UPGRADE_REFUSED = "peer refused TLS"
    PLAINTEXT = "plain bytes instead of TLS"
    NO_COMMON_VERSION = "no common TLS version"
    NO_COMMON_CIPHER = "no common cipher"
    CERTIFICATE_MISSING = "certificate missing"
    CERTIFICATE_UNTRUSTED = "certificate untrusted"
    CERTIFICATE_EXPIRED = "certificate expired"
    CERTIFICATE_INVALID = "certificate invalid"
    WRONG_NAME = "wrong name"
    REJECTED_BY_PEER = "rejected by peer"
    REJECTED_BY_US = "rejected by us"
    PROTOCOL_ERROR = "protocol error"
    TOO_MANY = "too many connections"
    WORKER_ENDED = "worker ended"
    PROXY_HEADER = "PROXY header refused"
    CONNECTION_REFUSED = "connection refused"
    CONNECT_RESET = "connection reset"
    NAME_NOT_RESOLVED = "name not resolved"
    NETWORK_UNREACHABLE = "network unreachable"
    HOST_UNREACHABLE = "host unreachable"
    CONNECT_TIMEOUT = "connect timeout"
    PERMISSION_DENIED = "permission denied"
    NO_SUCH_SOCKET = "no such socket"
    TOO_MANY_FILES = "too many open files"
    NO_LOCAL_PORT = "no free local port"
    LOCAL_ADDRESS = "local address not available"
    CONNECT_FAILED = "connecting failed"
    BACKEND_REFUSED = "backend refused"
    BACKEND_NOT_FOUND = "backend not found"
    BACKEND_UNREACHABLE = "backend unreachable"
    BACKEND_TIMEOUT = "backend timeout"
    BACKEND_DENIED = "backend permission denied"
    BACKEND_LOST = "backend lost"
    ABORTED = "aborted by us"


@dataclass(frozen=True)
class CloseReason:
    """Why one connection ended: a cause, and a text with details, if any.

    ``str()`` returns one line: the cause's name, and the details after a colon.
    """

    cause: Cause
    detail: str = ""

    @property
    def clean(self) -> bool:
        """Whether the stream ended properly, so that none of it can be missing."""
        return self.cause is Cause.CLEAN

    def __str__(self) -> str:
        detail = printable(self.detail)
        return f"{self.cause.value}: {detail}" if detail else self.cause.value


CLEAN = CloseReason(Cause.CLEAN)
