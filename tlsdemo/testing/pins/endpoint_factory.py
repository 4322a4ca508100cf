"""The factory that an endpoint would have connected or listened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from twisted.internet.protocol import Factory
from zope.interface import implementer


class _Connecting(Factory):
    """Builds what another factory does, and tells when that is connected, as an endpoint would."""

    noisy = False

    def __init__(self, factory: Any, connected: Deferred[Any]) -> None:
        self._factory = factory
        self._connected = connected

    def doStart(self) -> None:
        self._factory.doStart()

    def doStop(self) -> None:
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Any:
        protocol = self._factory.buildProtocol(addr)
        if protocol is None:
            return None
        make_connection = protocol.makeConnection

        def made(transport: Any) -> None:
            make_connection(transport)
            self._connected.callback(protocol)

        protocol.makeConnection = made
        return protocol


@implementer(IStreamClientEndpoint, IStreamServerEndpoint)
class _Capture:
    factory: Any = None

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        connected: Deferred[Any] = Deferred()
        self.factory = _Connecting(protocolFactory, connected)
        return connected

    def listen(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        self.factory = protocolFactory
        return Deferred()


def connecting(start: Callable[[Any], object]) -> Callable[[], Any]:
    """Return a function that makes the factory with which ``start`` connects.

    ``start`` is given an endpoint.  The Deferred of its ``connect`` fires when the connection is
    made.
    """

    def make() -> Any:
        capture = _Capture()
        start(capture)
        if capture.factory is None:
            raise ValueError("the endpoint did not use the one that it was made of")
        return capture.factory

    return make


def through_endpoint(
    wrap: Callable[[Any], Any], factory: Callable[[], Any], *, client: bool = True
) -> Callable[[], Any]:
    """Return a function that makes the factory which a wrapping endpoint uses.

    Example: ``through_endpoint(lambda endpoint: wrapClientTLS(options, endpoint), MyFactory)``.

    Args:
        wrap: Makes the endpoint around another one, as ``wrapClientTLS`` does.
        factory: Makes the factory that is given to the endpoint.
        client: Whether to connect or to listen.
    """

    def start(endpoint: Any) -> None:
        wrapped = wrap(endpoint)
        (wrapped.connect if client else wrapped.listen)(factory())

    return connecting(start)
