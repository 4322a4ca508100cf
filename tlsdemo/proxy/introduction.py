"""How the proxy tells its backend for whom it connects."""

from __future__ import annotations

import enum
from collections.abc import Callable
from ipaddress import ip_address

from twisted.internet.interfaces import IAddress

from tlsdemo.net.proxy_header import IPAddress, ProxyHeader, ProxyVersion, write_proxy_header
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.negotiation import Refuse, Switch
from tlsdemo.starttls.xclient import SmtpXclient


class IntroductionName(enum.Enum):
    """The names of the ways to tell the backend."""

    NONE = "none"
    V1 = "v1"
    V2 = "v2"
    XCLIENT = "xclient"


class Introduction:
    """What is exchanged with a backend before the client's session: ``header`` and ``xclient``.

    Attributes:
        done: Whether everything has been said.
    """

    def __init__(self, header: bytes = b"", xclient: SmtpXclient | None = None) -> None:
        self._header = header
        self._xclient = xclient
        self.done = xclient is None

    def start(self) -> bytes:
        """Return what is to be sent to the backend as soon as it is connected."""
        return self._header

    def receive(self, data: bytes) -> tuple[bytes, bytes]:
        """Return what is to be sent to the backend, and what of ``data`` belongs to the session.

        Must not be called once it is ``done``.  Raises FilterFailed if the backend refuses.
        """
        assert self._xclient is not None
        said, rest = b"", b""
        for command in self._xclient.receive(data):
            if isinstance(command, Refuse):
                raise FilterFailed(command.detail)
            if isinstance(command, Switch):
                self.done, rest = True, self._xclient.greeting + command.injected
            else:
                said += command.data
        return said, rest


Introduce = Callable[[IAddress, IAddress], Introduction]
"""Makes the introduction of one client: of its address, and of the address that it connected to."""


def introducer(
    name: IntroductionName, dialect: Dialect, names: Names = DEFAULT_NAMES, tls: bool = False
) -> Introduce | None:
    """Return what makes introductions; ``None`` if there are none.

    ``names``: what we call ourselves.  ``tls``: whether clients use TLS, which v2 says as well.

    Raises ValueError for XCLIENT in a dialect that does not have it.
    """
    if name is IntroductionName.NONE:
        return None
    if name is not IntroductionName.XCLIENT:
        version = ProxyVersion(name.value)
        return lambda client, server: Introduction(
            write_proxy_header(ProxyHeader(_end(client), _end(server)), version, tls)
        )
    xclient = dialect.xclient
    if xclient is None:
        raise ValueError(f"there is no XCLIENT in {dialect.name}")
    return lambda client, server: Introduction(
        xclient=xclient(_end_text(client), _end_text(server), names)
    )


def _end(address: IAddress) -> tuple[IPAddress, int] | None:
    """Return the IP address, without a scope, and the port; ``None`` for a UNIX socket."""
    host = getattr(address, "host", None)
    if host is None:
        return None
    return ip_address(host.partition("%")[0]), int(getattr(address, "port", 0))


def _end_text(address: IAddress) -> tuple[str, int] | None:
    end = _end(address)
    return None if end is None else (str(end[0]), end[1])
