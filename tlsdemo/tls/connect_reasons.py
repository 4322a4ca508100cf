"""Translates why a connection could not be made into close reasons, with the system's words."""

from __future__ import annotations

import errno

from twisted.internet.error import ConnectBindError, ConnectionRefusedError, DNSLookupError
from twisted.internet.error import TimeoutError as TwistedTimeoutError
from twisted.python.failure import Failure

from tlsdemo.close_reasons import Cause, CloseReason

_CAUSES = {
    errno.ENETUNREACH: Cause.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Cause.HOST_UNREACHABLE,
    errno.ETIMEDOUT: Cause.CONNECT_TIMEOUT,
    errno.EACCES: Cause.PERMISSION_DENIED,
    errno.EPERM: Cause.PERMISSION_DENIED,
    errno.ENOENT: Cause.NO_SUCH_SOCKET,
    errno.ENOTDIR: Cause.NO_SUCH_SOCKET,
    errno.EMFILE: Cause.TOO_MANY_FILES,
    errno.ENFILE: Cause.TOO_MANY_FILES,
    errno.EADDRNOTAVAIL: Cause.NO_LOCAL_PORT,
    errno.ECONNRESET: Cause.CONNECT_RESET,
}
"""The errors of socket(2) and connect(2)."""

_BIND_CAUSES = {
    errno.EADDRNOTAVAIL: Cause.LOCAL_ADDRESS,
    errno.EADDRINUSE: Cause.LOCAL_ADDRESS,
}
"""The errors of bind(2) that mean something else."""

OF_BACKEND = {
    Cause.NAME_NOT_RESOLVED: Cause.BACKEND_NOT_FOUND,
    Cause.NO_SUCH_SOCKET: Cause.BACKEND_NOT_FOUND,
    Cause.NETWORK_UNREACHABLE: Cause.BACKEND_UNREACHABLE,
    Cause.HOST_UNREACHABLE: Cause.BACKEND_UNREACHABLE,
    Cause.CONNECT_TIMEOUT: Cause.BACKEND_TIMEOUT,
    Cause.PERMISSION_DENIED: Cause.BACKEND_DENIED,
    Cause.TOO_MANY_FILES: Cause.TOO_MANY_FILES,
    Cause.NO_LOCAL_PORT: Cause.NO_LOCAL_PORT,
    Cause.LOCAL_ADDRESS: Cause.LOCAL_ADDRESS,
}
"""The causes of a server that cannot connect to its backend; the others are that this refused."""


def connect_reason(failure: Failure) -> CloseReason:
    """Return the close reason of a connection that a client endpoint could not make."""
    return CloseReason(_cause(failure.value), failure.getErrorMessage())


def backend_reason(failure: Failure) -> CloseReason:
    """Return the same for a server's connection to its backend."""
    reason = connect_reason(failure)
    return CloseReason(OF_BACKEND.get(reason.cause, Cause.BACKEND_REFUSED), reason.detail)


def _cause(error: BaseException | None) -> Cause:
    # These may lack the number.
    if isinstance(error, TwistedTimeoutError | TimeoutError):
        return Cause.CONNECT_TIMEOUT
    # getaddrinfo(3) does not say whether there is no such name, or no answer.
    if isinstance(error, DNSLookupError):
        return Cause.NAME_NOT_RESOLVED
    if isinstance(error, ConnectionRefusedError):
        return Cause.CONNECTION_REFUSED
    number: int = getattr(error, "osError", None) or getattr(error, "errno", None) or 0
    if isinstance(error, ConnectBindError) and number in _BIND_CAUSES:
        return _BIND_CAUSES[number]
    return _CAUSES.get(number, Cause.CONNECT_FAILED)
