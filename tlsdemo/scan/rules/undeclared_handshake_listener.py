"""PURE.  A method handshakeCompleted that nobody calls."""

from __future__ import annotations

from collections.abc import Iterator

from tlsdemo.scan.class_family import families
from tlsdemo.scan.python_source import PythonSource
from tlsdemo.scan.rule import Rule, Spot

_BAD = """\
from twisted.internet.protocol import Protocol


class Server(Protocol):
    def handshakeCompleted(self):
        self.check(self.transport.getPeerCertificate())
"""

_GOOD = """\
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol
from zope.interface import implementer


@implementer(IHandshakeListener)
class Server(Protocol):
    def handshakeCompleted(self):
        self.check(self.transport.getPeerCertificate())
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        if not family.is_protocol or not family.is_known:
            continue
        for method in family.own_methods():
            if method.name == "handshakeCompleted" and not family.may_declare("IHandshakeListener"):
                yield method, f"{family.own.name} does not declare IHandshakeListener"


RULE = Rule(
    name="undeclared-handshake-listener",
    title="`handshakeCompleted` in a protocol that does not declare `IHandshakeListener`.",
    why="TLS asks whether the protocol provides the interface, not whether it has the method: the "
    "method is never called, and the checks in it never run.",
    cure="Put @implementer(IHandshakeListener) on the class, and test that the method is called.",
    finding="handshake-method-not-called",
    words=("handshakeCompleted",),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
