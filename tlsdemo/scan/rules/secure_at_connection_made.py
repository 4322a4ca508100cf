"""PURE.  TLS that is taken for done when the connection is made."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tlsdemo.scan.class_family import families, is_own_attribute, transport_calls
from tlsdemo.scan.python_source import FUNCTION_NODES, FunctionNode, PythonSource
from tlsdemo.scan.rule import Rule, Spot

_BAD = """\
from twisted.internet.protocol import Protocol


class Server(Protocol):
    def connectionMade(self):
        self.user = self.transport.getPeerCertificate().get_subject().CN
"""

_GOOD = """\
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from zope.interface import implementer


@implementer(IHandshakeListener)
class Server(Protocol):
    def handshakeCompleted(self):
        self.user = self.transport.getPeerCertificate().get_subject().CN
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    # Who calls connectionMade of another protocol may do so after the handshake.
    layered = any(name.endswith(".connectionMade") for _, name in source.calls())
    for family in families(source):
        if not family.is_protocol or layered:
            continue
        for method in family.own_methods():
            if method.name == "connectionMade":
                yield from _asked(method)


def _asked(method: FunctionNode) -> Iterator[tuple[Spot, str]]:
    for statement in method.body:
        # What is in a function of its own, may run later.
        if any(isinstance(each, (*FUNCTION_NODES, ast.Lambda)) for each in ast.walk(statement)):
            continue
        for call in transport_calls(statement, "getPeerCertificate"):
            yield call, "getPeerCertificate() is None in connectionMade"
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "negotiatedProtocol"
                and is_own_attribute(node.value, "transport")
            ):
                yield node, "negotiatedProtocol is None in connectionMade"


RULE = Rule(
    name="secure-at-connection-made",
    title="TLS taken for done in `connectionMade`.",
    why="connectionMade comes before the handshake: there is no certificate of the peer and no "
    "application protocol, and nobody has been verified.",
    cure="Do it in handshakeCompleted of a protocol that declares IHandshakeListener.",
    finding="connection-made-before-handshake",
    words=("getPeerCertificate", "negotiatedProtocol"),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
