"""PURE.  Plaintext behind STARTTLS that is taken for what came through TLS."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tlsdemo.scan.class_family import families, own_attribute
from tlsdemo.scan.python_source import PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_CLEARING = {"clearLineBuffer"}
_CLEARING_IN_THE_METHOD = {"clearLineBuffer", "setRawMode", "_buffer"}
"""In other methods, the last two have other purposes."""

_BAD = """\
from twisted.protocols.basic import LineReceiver


class Server(LineReceiver):
    secure = False

    def lineReceived(self, line):
        if line == b"STARTTLS" and not self.secure:
            self.secure = True
            self.sendLine(b"go ahead")
            self.transport.startTLS(self.factory.tls)
"""

_GOOD = """\
from twisted.protocols.basic import LineReceiver


class Server(LineReceiver):
    secure = False

    def lineReceived(self, line):
        if line == b"STARTTLS" and not self.secure:
            self.secure = True
            if self.clearLineBuffer():
                self.transport.abortConnection()
                return
            self.sendLine(b"go ahead")
            self.transport.startTLS(self.factory.tls)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        if not family.is_line_receiver:
            continue
        for method, calls in family.upgrades():
            seen_to = _mentions(nodes_in(method), _CLEARING_IN_THE_METHOD)
            if not seen_to and not _mentions(family.nodes(), _CLEARING):
                for call in calls:
                    yield call, "what follows the request for TLS stays in the line buffer"


def _mentions(nodes: Iterable[ast.AST], names: set[str]) -> bool:
    return any(own_attribute(node) in names for node in nodes)


RULE = Rule(
    name="uncleared-line-buffer",
    title="`startTLS` in a line receiver that does not clear its buffer.",
    why="Lines that arrive in one segment with the request for TLS are processed as if they came "
    "through TLS. An attacker appends commands to STARTTLS (CVE-2011-0411).",
    cure="Call clearLineBuffer() before startTLS, and refuse a client that has sent more.",
    finding="starttls-injection",
    words=("startTLS",),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
