"""PURE.  A peer rejected in handshakeCompleted, whose data is delivered all the same."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tlsdemo.scan.class_family import ClassFamily, families, own_attribute, transport_calls
from tlsdemo.scan.python_source import FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_RECEIVING = ("dataReceived", "lineReceived", "rawDataReceived", "stringReceived")
_CLOSING = ("loseConnection", "abortConnection")

_NOT_A_FLAG = {"transport", "factory"}

_BAD = """\
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from zope.interface import implementer


@implementer(IHandshakeListener)
class Server(Protocol):
    def handshakeCompleted(self):
        if self.transport.getPeerCertificate() is None:
            self.transport.loseConnection()

    def dataReceived(self, data):
        self.execute(data)
"""

_GOOD = """\
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from zope.interface import implementer


@implementer(IHandshakeListener)
class Server(Protocol):
    rejected = False

    def handshakeCompleted(self):
        if self.transport.getPeerCertificate() is None:
            self.rejected = True
            self.transport.abortConnection()

    def dataReceived(self, data):
        if not self.rejected:
            self.execute(data)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        receiving = [each for each in map(family.method, _RECEIVING) if each is not None]
        if not receiving:
            continue
        for method in family.own_methods():
            if method.name == "handshakeCompleted":
                yield from _not_final(family, method, receiving)


def _not_final(
    family: ClassFamily, method: FunctionNode, receiving: list[FunctionNode]
) -> Iterator[tuple[Spot, str]]:
    closing: ast.Call | None = next(transport_calls(method, *_CLOSING), None)
    bodies = [method]
    for node in nodes_in(method):
        # One level down: what handshakeCompleted calls.
        if isinstance(node, ast.Call) and (called := family.method(own_attribute(node.func))):
            bodies.append(called)
            if closing is None and any(transport_calls(called, *_CLOSING)):
                closing = node
    if closing is None:
        return
    changed = {
        own_attribute(node)
        for body in bodies
        for node in nodes_in(body)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
    }
    asked = {
        node.attr
        for body in receiving
        for node in nodes_in(body)
        if isinstance(node, ast.Attribute) and node.attr not in _NOT_A_FLAG
    }
    if changed & {*asked, *_RECEIVING} or "disconnecting" in asked:
        return
    yield closing, f"{receiving[0].name} is still called with what has arrived"


RULE = Rule(
    name="rejected-but-delivered",
    title="`loseConnection` or `abortConnection` in `handshakeCompleted`, taken for final.",
    why="Data in one segment with the end of the handshake is delivered all the same; after "
    "startTLS, even in spite of abortConnection. It is from somebody who has just been rejected.",
    cure="Set a flag before you close, and discard what arrives later.",
    finding="rejected-but-delivered",
    words=("handshakeCompleted",),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
