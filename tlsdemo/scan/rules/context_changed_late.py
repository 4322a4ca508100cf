"""PURE.  A context that is changed while connections have it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tlsdemo.scan.class_family import families, own_attribute
from tlsdemo.scan.python_source import FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_MAKING_CONNECTIONS = ("clientConnectionForTLS", "serverConnectionForTLS")

_CHANGING = ("set_", "use_", "load_", "add_")
"""How the names of the methods of OpenSSL.SSL.Context begin that change it."""

_CONTEXT = re.compile(r"context|ctx", re.IGNORECASE)

_BAD = """\
from OpenSSL import SSL


class Options:
    def clientConnectionForTLS(self, protocol):
        context = self.options.getContext()
        context.set_info_callback(protocol.state_changed)
        return SSL.Connection(context, None)
"""

_GOOD = """\
from OpenSSL import SSL


class Options:
    def __init__(self, options):
        self.context = options.getContext()
        self.context.set_info_callback(self.state_changed)

    def clientConnectionForTLS(self, protocol):
        return SSL.Connection(self.context, None)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for family in families(source):
        for method in family.own_methods():
            if method.name in _MAKING_CONNECTIONS:
                yield from _changed_for_each(method)
    for function in source.functions():
        yield from _changed_after_connection(source, function)


def _changed_for_each(method: FunctionNode) -> Iterator[tuple[Spot, str]]:
    """Yield the first change that is made whenever a connection is."""
    shared: set[str] = set()
    for statement in method.body:
        if isinstance(statement, ast.Assign):
            names = {each.id for each in statement.targets if isinstance(each, ast.Name)}
            shared = shared | names if _is_shared(statement.value) else shared - names
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            of = statement.value.func
            if _changed_name(statement.value) in shared or (
                isinstance(of, ast.Attribute)
                and of.attr.startswith(_CHANGING)
                and _CONTEXT.search(own_attribute(of.value))
            ):
                yield statement, "each connection changes the context of all"
                return


def _is_shared(node: ast.expr) -> bool:
    """Return whether it is ``self.context``, or ``self.options.getContext()``."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr == "getContext" and bool(own_attribute(node.func.value))
    return bool(_CONTEXT.search(own_attribute(node)))


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
    "too late for them. pyOpenSSL raises ValueError since 26.2, once a connection has the context.",
    cure="Change a context once, where it is made, before the first connection has it.",
    finding="context-frozen-by-connection",
    words=("ConnectionForTLS", "OpenSSL"),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
