"""The factory that an endpoint would have connected or listened with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IStreamClientEndpoint, IStreamServerEndpoint
from zope.interface import implementer


@implementer(IStreamClientEndpoint, IStreamServerEndpoint)
class _Capture:
    factory: Any = None

    def connect(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        self.factory = protocolFactory
        return Deferred()

    def listen(self, protocolFactory: Any) -> Deferred[Any]:  # noqa: N803
        self.factory = protocolFactory
        return Deferred()


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

    def make() -> Any:
        capture = _Capture()
        endpoint = wrap(capture)
        (endpoint.connect if client else endpoint.listen)(factory())
        if capture.factory is None:
            raise ValueError("the endpoint did not use the one that it was made of")
        return capture.factory

    return make
