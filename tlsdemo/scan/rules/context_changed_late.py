"""PURE.  A context that is changed while connections have it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tlsdemo.scan.class_family import families
from tlsdemo.scan.python_source import FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_MAKING_CONNECTIONS = ("clientConnectionForTLS", "serverConnectionForTLS")

_CHANGING = ("set_", "use_", "load_", "add_")
"""How the names of the methods of OpenSSL.SSL.Context begin that change it."""

_CACHING = {
    "twisted.internet.ssl.CertificateOptions",
    "twisted.internet.ssl.DefaultOpenSSLContextFactory",
}
"""Whose getContext returns the same context each time."""

_BAD = """\
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions

class Options(CertificateOptions):
    def getContext(self):
        context = CertificateOptions.getContext(self)
        context.set_verify(SSL.VERIFY_PEER, self.check)
        return context
"""

_GOOD = """\
from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions

class Options(CertificateOptions):
    changed = None

    def getContext(self):
        if self.changed is None:
            self.changed = CertificateOptions.getContext(self)
            self.changed.set_verify(SSL.VERIFY_PEER, self.check)
        return self.changed
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        for method in family.own_methods():
            if method.name == "getContext" and family.foreign & _CACHING:
                yield from _changed(method, "each call of getContext changes the same context")
            elif method.name in _MAKING_CONNECTIONS:
                yield from _changed(method, "each connection changes the context of all")
    for function in source.functions():
        yield from _changed_after_connection(source, function)


def _changed(method: FunctionNode, what: str) -> Iterator[tuple[Spot, str]]:
    """Yield the first change, unless something is asked before, such as whether it was done."""
    shared = {
        target.id
        for node in method.body
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Call)
        and isinstance(node.value.func, ast.Attribute)
        and node.value.func.attr == "getContext"
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for statement in method.body:
        if isinstance(statement, ast.Expr):
            changed = _changed_name(statement.value)
            if changed in shared:
                yield statement, what
                return


def _changed_after_connection(
    source: PythonSource, function: FunctionNode
) -> Iterator[tuple[Spot, str]]:
    used: set[str] = set()
    for statement in function.body:
        changed = _changed_name(statement.value) if isinstance(statement, ast.Expr) else ""
        if changed in used:
            yield statement, "a connection has been made with this context before"
            return
        for node in nodes_in(statement):
            if (
                isinstance(node, ast.Call)
                and source.full_name(node.func) == "OpenSSL.SSL.Connection"
                and node.args
                and isinstance(node.args[0], ast.Name)
            ):
                used.add(node.args[0].id)
            elif isinstance(node, ast.Assign):
                used -= {each.id for each in node.targets if isinstance(each, ast.Name)}


def _changed_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        value = node.func.value
        if isinstance(value, ast.Name) and node.func.attr.startswith(_CHANGING):
            return value.id
    return ""


RULE = Rule(
    name="context-changed-late",
    title="A context that is changed after it was handed out.",
    why="One context serves many connections: the change also concerns those that exist, or comes "
    "too late for them. pyOpenSSL warns of it, and will refuse it.",
    cure="Change a context once, where it is made, before the first connection has it.",
    finding="",
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
