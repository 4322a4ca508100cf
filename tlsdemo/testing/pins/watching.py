"""Reports what a protocol is told, without changing what it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHandshakeListener
from twisted.protocols.policies import ProtocolWrapper, TimeoutMixin
from twisted.python.failure import Failure

from tlsdemo.trace.tls_detection import excerpt

_TOLD = ("connectionMade", "dataReceived", "readConnectionLost", "writeConnectionLost",
         "connectionLost")  # fmt: skip

Report = Callable[..., object]
"""Called with the name of an event and its facts."""


def watch(
    protocol: Any, report: Report, shown: Callable[[bytes], bytes] = bytes, clock: Any = None
) -> None:
    """Report each call of the methods by which ``protocol`` is told what happens.

    If it is a wrapper, such as the TLS layer, then what it wraps is watched.  Methods of the
    instance are replaced, so that everything else about it stays as it is, the interfaces that it
    provides included.

    Args:
        protocol: The protocol that a factory has built; not connected yet.
        report: Called before the method.
        shown: Returns what may be shown of received data.
        clock: Schedules the timeouts of a `TimeoutMixin`; by default they stay with the reactor.

    Raises:
        TypeError: If the protocol has ``__slots__``.
    """
    while isinstance(protocol, ProtocolWrapper):
        protocol = protocol.wrappedProtocol
    told = [name for name in _TOLD if hasattr(protocol, name)]
    if IHandshakeListener.providedBy(protocol):
        told.append("handshakeCompleted")
    nested: list[str] = []
    try:
        for name in told:
            setattr(protocol, name, _reporting(protocol, name, report, shown, nested))
        if clock is not None and isinstance(protocol, TimeoutMixin):
            setattr(protocol, "callLater", clock.callLater)  # noqa: B010
    except AttributeError:
        kind = type(protocol).__qualname__
        raise TypeError(f"{kind} has __slots__ and cannot be watched; pin a subclass") from None


def _reporting(
    protocol: Any, name: str, report: Report, shown: Callable[[bytes], bytes], nested: list[str]
) -> Callable[..., Any]:
    method = getattr(protocol, name)

    def told(*arguments: Any) -> Any:
        # A LineReceiver calls its own dataReceived; that is not an event.
        if name in nested:
            return method(*arguments)
        if name == "connectionMade":
            _watch_start_tls(protocol.transport, report)
        report(name, **_facts(protocol, name, arguments, shown))
        nested.append(name)
        try:
            return method(*arguments)
        except Exception as error:
            report(f"{name} raised", error=type(error).__name__)
            raise
        finally:
            nested.remove(name)

    return told


def _watch_start_tls(transport: Any, report: Report) -> None:
    method = getattr(transport, "startTLS", None)
    if method is not None:

        def start(*arguments: Any, **named: Any) -> Any:
            report("startTLS called")
            return method(*arguments, **named)

        transport.startTLS = start


def _facts(
    protocol: Any, name: str, arguments: tuple[Any, ...], shown: Callable[[bytes], bytes]
) -> dict[str, Any]:
    if name == "dataReceived":
        return {"data": excerpt(shown(arguments[0]))}
    if name == "connectionLost" and arguments:
        return {"reason": _reason(arguments[0])}
    if name == "handshakeCompleted":
        facts: dict[str, Any] = {"certificate": protocol.transport.getPeerCertificate() is not None}
        # The transport on which TLS was started has no such attribute.
        negotiated = getattr(protocol.transport, "negotiatedProtocol", None)
        return {**facts, "negotiated": negotiated and negotiated.decode("ascii", "replace")}
    return {}


def _reason(reason: Failure) -> str:
    """Return the type of a reason, and OpenSSL's own words where it has some."""
    error: Any = reason.value
    name = type(error).__name__
    try:
        # [(library, function, reason), …], with the error itself first.
        words = str(error.args[0][0][2])
    except (IndexError, TypeError, KeyError):
        return name
    return f"{name}: {words}"
