"""PURE.  Private names of Twisted's implementation of TLS."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tlsdemo.scan.class_family import own_attribute
from tlsdemo.scan.python_source import PythonSource
from tlsdemo.scan.rule import Rule, Spot

_PRIVATE_MODULE = "twisted.internet._sslverify"
_PUBLIC_MODULE = "twisted.protocols.tls"

_CONNECTION = "_tlsConnection"
"""OpenSSL's connection, an attribute of a TLSMemoryBIOProtocol."""

_BAD = """\
from twisted.internet._sslverify import ClientTLSOptions


class Options(ClientTLSOptions):
    pass
"""

_GOOD = """\
from twisted.internet.ssl import optionsForClientTLS


def options(name):
    return optionsForClientTLS(name)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for node in source.walk():
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Attribute):
            names = [_used(source, node)]
        else:
            continue
        private = [name for name in names if _is_private(name)]
        if private:
            assert isinstance(node, ast.stmt | ast.expr)
            yield node, f"{', '.join(private)} {'is' if len(private) == 1 else 'are'} private"


def _used(source: PythonSource, node: ast.Attribute) -> str:
    if node.attr == _CONNECTION:
        # A class may have one of its own.
        return "" if own_attribute(node) else _CONNECTION
    full = source.full_name(node)
    # Not what is in the module, which would be a second hit at the same place.
    return full if full == _PRIVATE_MODULE or full.startswith(f"{_PUBLIC_MODULE}.") else ""


def _is_private(name: str) -> bool:
    if name in (_CONNECTION, _PRIVATE_MODULE) or name.startswith(f"{_PRIVATE_MODULE}."):
        return True
    module, _, last = name.rpartition(".")
    return module == _PUBLIC_MODULE and last.startswith("_") and not last.startswith("__")


RULE = Rule(
    name="private-tls-name",
    title="Private names of `twisted.internet._sslverify` and `twisted.protocols.tls`.",
    why="They change without notice. When Twisted began to check the server's name earlier (26.4), "
    "that was done within these names.",
    cure="Use what twisted.internet.ssl offers, and getHandle() in place of _tlsConnection; if "
    "that is not enough, run `tlsdemo gate` before each upgrade of Twisted.",
    finding="name-checked-too-late",
    words=("_sslverify", "protocols", _CONNECTION),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
