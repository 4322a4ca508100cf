"""The options of a server that stands between other proxies: the PROXY protocol, and XCLIENT."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import choice, seconds, whole
from tlsdemo.net.proxy_header import MAX_HEADER
from tlsdemo.proxy.introduction import IntroductionName
from tlsdemo.proxy.listening import PROXY_PREFIX
from tlsdemo.proxy.proxy_header_factory import (
    HEADER_TIMEOUT,
    LOOPBACK,
    IPNetwork,
    ProxyHeaderSettings,
)
from tlsdemo.starttls.dialect import Dialect


def networks(text: str) -> tuple[IPNetwork, ...]:
    """Read networks that are separated by commas, such as ``192.0.2.0/24,2001:db8::1``."""
    try:
        return tuple(ip_network(each.strip()) for each in text.split(","))
    except ValueError as problem:
        raise ValueError(f"not networks separated by commas ({problem})") from None


PROXY_PROTOCOL_PARAMETERS: list[list[Any]] = [
    ["proxy-protocol-from", None, None, "Networks, separated by commas, whose hosts may send a "
     "header of the PROXY protocol; connections from others are closed. Clients of a UNIX socket "
     f"always may. [default: {','.join(map(str, LOOPBACK))}]", networks],
    ["proxy-protocol-timeout", None, HEADER_TIMEOUT, "Seconds for the header.", seconds(0.0)],
    ["proxy-protocol-max", None, MAX_HEADER, "Maximum bytes of a header of version 2.",
     whole(16, 1 << 17)],
    ["backend-proxy", None, None, "How the backend is told the client's address: v1 or v2 (a "
     "header of the PROXY protocol), xclient (in dialects smtp and lmtp), or none. Without this "
     "option, the server warns if the backend may relay mail for everybody. [default: none]",
     choice(IntroductionName)],
]  # fmt: skip


class ProxyProtocolOptions(usage.Options):
    """A mixin for the options of a server."""

    optFlags: ClassVar[list[list[str | None]]] = [
        ["proxy-protocol", None, "Every connection begins with a header of the PROXY protocol, "
         "version 1 or 2, which says the client's address. The same as haproxy: before each "
         "endpoint of --listen."],
    ]  # fmt: skip

    def check_proxy_protocol(self, dialect: Dialect) -> None:
        """Put ``haproxy:`` where it is meant, and refuse options that would have no effect."""
        if self["proxy-protocol"]:
            self["listen"] = [
                where if where.startswith(PROXY_PREFIX) else PROXY_PREFIX + where
                for where in self["listen"]
            ]
        expected = any(where.startswith(PROXY_PREFIX) for where in self["listen"])
        if self["proxy-protocol-from"] is not None and not expected:
            raise usage.UsageError(
                "--proxy-protocol-from is given, and no header is expected; add --proxy-protocol"
            )
        name = self["backend-proxy"]
        if name not in (None, IntroductionName.NONE) and self["backend"] is None:
            raise usage.UsageError(f"--backend-proxy={name.value} needs --backend")
        if name is IntroductionName.XCLIENT and dialect.xclient is None:
            raise usage.UsageError(
                f"--backend-proxy is xclient, and --dialect is {dialect.name}; "
                "use v1 or v2, or --dialect=smtp or lmtp"
            )

    def proxy_headers(self) -> ProxyHeaderSettings:
        """Return from whom headers are accepted, and their limits."""
        return ProxyHeaderSettings(
            self["proxy-protocol-from"] or LOOPBACK,
            self["proxy-protocol-timeout"],
            self["proxy-protocol-max"],
        )
