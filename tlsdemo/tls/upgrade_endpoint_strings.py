"""Endpoint strings for STARTTLS: ``starttls:smtp:tcp:mail.example.org:25``, client and server.

Twisted finds the parsers through a plugin, so these strings work wherever a program takes an
endpoint string (``clientFromString``, ``serverFromString``), without any change to the program.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from twisted.internet.endpoints import clientFromString, quoteStringArgument, serverFromString
from twisted.internet.interfaces import (
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted.plugin import IPlugin
from zope.interface import implementer

from tlsdemo.certificates.files import Credentials
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.names import Names
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.registry import find_dialect
from tlsdemo.tls.connection_settings import ConnectionSettings
from tlsdemo.tls.contexts import TLS, ClientAuth, ClientTLS, ServerTLS
from tlsdemo.tls.modes import MODES, Mode, ModeName
from tlsdemo.tls.timeouts import Timeouts
from tlsdemo.tls.upgrade_endpoints import UpgradeClientEndpoint, UpgradeServerEndpoint

PREFIX = "starttls"

TIMEOUTS = Timeouts(plain=60, handshake=30, idle=0, closing=10)
"""Seconds; an idle connection is the application's matter."""

_FILES = ("certificate", "privateKey", "trustRoots")
_CLIENT = (*_FILES, "serverName", "clientName", "mode")
_SERVER = (*_FILES, "serverName", "clientAuth", "mode")


@implementer(IPlugin, IStreamClientEndpointStringParserWithReactor)
class ClientParser:
    """``starttls:DIALECT:ENDPOINT``, where ENDPOINT is any client endpoint string.

    Of its keyword arguments these are taken, and the others left to ENDPOINT:

    - ``serverName``: the name that the server's certificate must be valid for; by default the
      host of a ``tcp:HOST:PORT``, and needed with other endpoints.
    - ``trustRoots``: a PEM file of authorities; by default those that the system trusts.
    - ``certificate``, ``privateKey``: the client's, as PEM files.
    - ``clientName``: what the client calls itself before TLS, as in EHLO.
    - ``mode``: ``pair``, the default, or ``starttls``.
    """

    prefix = PREFIX

    def parseStreamClient(  # type: ignore[override] # noqa: N802
        self, reactor: Any, *args: str, **kwargs: str
    ) -> UpgradeClientEndpoint:
        """Make the endpoint; ValueError says what is wrong with the string."""
        dialect, inner, own = _split(args, kwargs, _CLIENT)
        server_name = own.get("serverName") or _host_of(inner, kwargs)
        names = Names(own.get("clientName") or Names.own, server_name)
        tls = ClientTLS.build(_credentials(own), server_name, dialect.alpn)
        settings = _settings(own, tls, partial(dialect.client, names=names))
        endpoint = clientFromString(reactor, _joined(inner, kwargs, own))
        return UpgradeClientEndpoint(endpoint, settings, reactor)


@implementer(IPlugin, IStreamServerEndpointStringParser)
class ServerParser:
    """``starttls:DIALECT:ENDPOINT``, where ENDPOINT is any server endpoint string.

    Of its keyword arguments these are taken, and the others left to ENDPOINT:

    - ``certificate`` and ``privateKey``: PEM files; both are needed.
    - ``serverName``: what the server calls itself before TLS, as in a greeting.
    - ``trustRoots``: a PEM file of the authorities that issue client certificates.
    - ``clientAuth``: ``required``, ``optional`` or ``none``; by default ``required`` if there are
      ``trustRoots``, and ``none`` otherwise.
    - ``mode``: ``pair``, the default, or ``starttls``.
    """

    prefix = PREFIX

    def parseStreamServer(  # type: ignore[override] # noqa: N802
        self, reactor: Any, *args: str, **kwargs: str
    ) -> UpgradeServerEndpoint:
        """Make the endpoint; ValueError says what is wrong with the string."""
        dialect, inner, own = _split(args, kwargs, _SERVER)
        for name in ("certificate", "privateKey"):
            if name not in own:
                raise ValueError(f"{PREFIX}: a server needs {name}=FILE")
        usual = ClientAuth.REQUIRED if "trustRoots" in own else ClientAuth.NONE
        client_auth = ClientAuth(own.get("clientAuth", usual))  # or ValueError
        tls = ServerTLS.build(_credentials(own), client_auth, dialect.alpn)
        names = Names(own.get("serverName") or Names.own)
        settings = _settings(own, tls, partial(dialect.server, names=names))
        endpoint = serverFromString(reactor, _joined(inner, kwargs, own))
        return UpgradeServerEndpoint(endpoint, settings, reactor)


def _split(
    args: tuple[str, ...], kwargs: dict[str, str], names: tuple[str, ...]
) -> tuple[Dialect, tuple[str, ...], dict[str, str]]:
    """Return the dialect, the arguments of the inner endpoint, and our keyword arguments."""
    if len(args) < 2:
        raise ValueError(f"{PREFIX} needs a dialect and an endpoint: {PREFIX}:smtp:tcp:…")
    try:
        dialect = find_dialect(args[0])
    except ValueError as error:
        raise ValueError(f"{PREFIX}: the dialect is {args[0]!r}, {error}") from None
    return dialect, args[1:], {name: kwargs[name] for name in names if name in kwargs}


def _host_of(inner: tuple[str, ...], kwargs: dict[str, str]) -> str:
    host = kwargs.get("host") or (inner[1] if len(inner) > 1 else "")
    if inner[0] != "tcp" or not host:
        raise ValueError(f"{PREFIX}: which name must the certificate have? Add serverName=NAME")
    return host


def _credentials(own: dict[str, str]) -> Credentials:
    certificate, key, authority = (Path(own[each]) if each in own else None for each in _FILES)
    return Credentials(certificate, key, authority)


def _settings(
    own: dict[str, str], tls: TLS, negotiation: Callable[[], Negotiation]
) -> ConnectionSettings:
    mode: Mode = MODES[ModeName(own.get("mode", ModeName.PAIR))]
    if not mode.allows_negotiation:
        raise ValueError(f"{PREFIX}: mode is {mode.name.value!r}, neither 'pair' nor 'starttls'")
    return ConnectionSettings(mode, tls, negotiation, timeouts=TIMEOUTS)


def _joined(inner: tuple[str, ...], kwargs: dict[str, str], own: dict[str, str]) -> str:
    """Return the inner endpoint's string."""
    rest = [f"{name}={_quoted(value)}" for name, value in kwargs.items() if name not in own]
    return ":".join([*map(_quoted, inner), *rest])


def _quoted(argument: str) -> str:
    quoted: str = quoteStringArgument(argument)
    return quoted.replace("=", r"\=")
