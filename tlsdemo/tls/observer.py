"""Watching one connection: the interface that the library reports to, for logs, traces and metrics.

Nothing is observed unless an observer is handed in, and what is not observed costs nothing.
"""

from __future__ import annotations

from typing import Protocol as Interface

from OpenSSL import SSL
from twisted.python.failure import Failure


class Observer(Interface):
    """Sees what happens on one connection, as it happens.

    ``detailed``: whether :meth:`detail`, :meth:`wire` and :meth:`tls_created` are wanted.  They
    are not called otherwise, which is cheaper: OpenSSL need not report its states.
    """

    detailed: bool

    def event(self, name: str, **facts: object) -> None:
        """A step that every connection takes: ``connected``, ``handshakeCompleted``, ``secure``.

        ``secure`` comes with ``info`` (:class:`~tlsdemo.tls.ConnectionInfo`), ``insecure`` and
        ``closed`` with ``reason`` (:class:`~tlsdemo.close_reasons.CloseReason`).
        """

    def detail(self, name: str, **facts: object) -> None:
        """Everything between those steps: OpenSSL's states, alerts, verification, first bytes."""

    def wire(self, sent: bool, data: bytes) -> None:
        """Bytes on the wire, in plaintext or of TLS; each byte once."""

    def tls_created(self, connection: SSL.Connection) -> None:
        """OpenSSL's connection has been created, before its handshake begins."""


def failure_facts(reason: Failure) -> dict[str, str]:
    """Return the type and the message of what a ``connectionLost`` was given."""
    return {"reason": type(reason.value).__name__, "text": reason.getErrorMessage()}
