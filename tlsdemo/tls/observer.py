"""The interface through which logs, traces and metrics observe a connection.

A connection without an observer is not observed, and costs nothing extra.
"""

from __future__ import annotations

import typing
from collections.abc import Callable

from OpenSSL import SSL
from twisted.python.failure import Failure


class Observer(typing.Protocol):
    """Called with what happens on one connection, as it happens.

    A ``typing.Protocol``: a class that has these methods needs to declare nothing.

    Attributes:
        detailed: Whether :meth:`detail`, :meth:`wire` and :meth:`tls_created` are called as well.
            If not, OpenSSL does not report its states, which is cheaper.

    An observer that is ``detailed`` may have ``states = False`` as well.  Then it is told neither
    OpenSSL's states and alerts, for which OpenSSL calls Python several times for each message, nor
    the subjects of certificates.
    """

    detailed: bool

    def event(self, name: str, **facts: object) -> None:
        """A step of every connection, such as ``connected``, ``handshakeCompleted``, ``secure``.

        ``secure`` has the fact ``info`` (:class:`~tlsdemo.tls.ConnectionInfo`); ``insecure`` and
        ``closed`` have ``reason`` (:class:`~tlsdemo.close_reasons.CloseReason`).
        """

    def detail(self, name: str, **facts: object) -> None:
        """What happens between those steps: OpenSSL's states, alerts, verification, first bytes."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Bytes sent to or received from the wire, in plaintext or of TLS; each byte once."""

    def tls_created(self, connection: SSL.Connection) -> None:
        """OpenSSL's connection has been created; its handshake has not begun."""


def wants_states(observer: Observer) -> bool:
    """Return whether an observer of details wants OpenSSL's states too."""
    return getattr(observer, "states", True)


def report_first(
    observer: Observer | None,
    event: str,
    owner: object,
    attribute: str,
    call: Callable[[bytes], object],
) -> Callable[[bytes], object]:
    """Return a function that reports its first call, and puts ``call`` in its place.

    If ``observer`` does not want to know, that is ``call`` itself.
    """
    if observer is None or not observer.detailed:
        return call
    reported = False

    def first(data: bytes) -> None:
        # Who has looked this up before goes on calling it.
        nonlocal reported
        if not reported:
            reported = True
            setattr(owner, attribute, call)
            observer.detail(event)
        call(data)

    return first


def failure_facts(reason: Failure) -> dict[str, str]:
    """Return the type and the message of a ``connectionLost`` reason."""
    return {"reason": type(reason.value).__name__, "text": reason.getErrorMessage()}
