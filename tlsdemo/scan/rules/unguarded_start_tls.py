"""PURE.  A startTLS that may be called twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tlsdemo.scan.class_family import ClassFamily, families, own_attribute
from tlsdemo.scan.python_source import FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_STATE = re.compile(r"tls|ssl|secure|crypt|cert|handshake|upgrad|phase|state|mode", re.IGNORECASE)
"""The names of attributes that may tell whether TLS has begun."""

_RECEIVING = {"dataReceived", "lineReceived", "rawDataReceived", "stringReceived"}
"""Who replaces one of these receives the request for TLS only once."""

_BAD = """\
from twisted.internet.protocol import Protocol


class Server(Protocol):
    def dataReceived(self, data):
        if data == b"STARTTLS":
            self.transport.write(b"go ahead")
            self.transport.startTLS(self.factory.tls)
"""

_GOOD = """\
from twisted.internet.protocol import Protocol


class Server(Protocol):
    tls_started = False

    def dataReceived(self, data):
        if data == b"STARTTLS" and not self.tls_started:
            self.tls_started = True
            self.transport.write(b"go ahead")
            self.transport.startTLS(self.factory.tls)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        # What is inherited from elsewhere may know the state.
        if not family.is_protocol or not family.is_known:
            continue
        for method, calls in family.upgrades():
            if not _knows_the_state(family) and not _changed(method) & _asked(family):
                for call in calls:
                    yield call, "nothing in the class tells whether TLS has begun"


def _changed(method: FunctionNode) -> set[str]:
    """Return the attributes, of whatever object, that are set to a constant; no buffer is."""
    return {
        target.attr
        for node in nodes_in(method)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Attribute) and not isinstance(node.value.value, bytes)
    }


def _asked(family: ClassFamily) -> set[str]:
    """Return the attributes that decide something in the class: its state, by any name."""
    return {
        each.attr
        for node in family.nodes()
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert)
        for each in nodes_in(node.test)
        if isinstance(each, ast.Attribute)
    }


def _knows_the_state(family: ClassFamily) -> bool:
    for node in family.nodes():
        if isinstance(node, ast.If | ast.IfExp | ast.While | ast.Assert):
            if any(_STATE.search(own_attribute(each)) for each in nodes_in(node.test)):
                return True
        elif isinstance(node, ast.Match):
            if any(_STATE.search(own_attribute(each)) for each in nodes_in(node.subject)):
                return True
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if node.attr in _RECEIVING:
                return True
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name == "ISSLTransport":
                return True
    return False


RULE = Rule(
    name="unguarded-start-tls",
    title="`startTLS` without a check that it was not called before.",
    why="The second call raises nothing and puts TLS inside TLS, which no peer expects: the "
    "connection is broken.",
    cure="Keep the state in the protocol, and refuse a second request for TLS.",
    finding="start-tls-twice",
    words=("startTLS",),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
