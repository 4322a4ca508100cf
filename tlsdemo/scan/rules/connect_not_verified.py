"""PURE.  The Deferred of wrapClientTLS(...).connect() that is taken for a verified server."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tlsdemo.scan.python_source import FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

_WRAP = "twisted.internet.endpoints.wrapClientTLS"

_ASKED = {"getPeerCertificate", "negotiatedProtocol", "get_peer_certificate"}
"""What is None until the handshake is complete."""

_MARK = re.compile(r"secured?$|verified|trusted|authenticated|handshake_?(done|complete)", re.I)

_BAD = """\
from twisted.internet.endpoints import wrapClientTLS


async def connect(tls, endpoint, factory):
    protocol = await wrapClientTLS(tls, endpoint).connect(factory)
    protocol.verified = True
    return protocol
"""

_GOOD = """\
from twisted.internet.endpoints import wrapClientTLS


async def connect(tls, endpoint, factory):
    protocol = await wrapClientTLS(tls, endpoint).connect(factory)
    await protocol.when_handshake_completed()
    protocol.verified = True
    return protocol
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for function in source.functions():
        endpoints = {
            target.id
            for node in nodes_in(function)
            if isinstance(node, ast.Assign) and _is_wrapped(source, node.value)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        yield from _concluded(source, function, endpoints)


def _concluded(
    source: PythonSource, function: FunctionNode, endpoints: set[str]
) -> Iterator[tuple[Spot, str]]:
    connected = False
    for statement in function.body:
        waits = [
            node.value
            for node in nodes_in(statement)
            if isinstance(node, ast.Await | ast.Yield) and node.value is not None
        ]
        if connected:
            if waits:
                # Perhaps for the handshake.
                return
            for node in nodes_in(statement):
                name = node.attr if isinstance(node, ast.Attribute) else ""
                if name in _ASKED or (_MARK.search(name) and _is_stored(node)):
                    assert isinstance(node, ast.expr)
                    yield node, f"{name} is used when connect() has fired, before the handshake"
                    return
        connected = connected or any(_is_connect(source, each, endpoints) for each in waits)


def _is_connect(source: PythonSource, node: ast.expr, endpoints: set[str]) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    of = node.func.value
    is_wrapped = _is_wrapped(source, of) or (isinstance(of, ast.Name) and of.id in endpoints)
    return node.func.attr == "connect" and is_wrapped


def _is_wrapped(source: PythonSource, node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and source.full_name(node.func) == _WRAP


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)


RULE = Rule(
    name="connect-not-verified",
    title="`wrapClientTLS(...).connect()` taken for a verified server.",
    why="The Deferred fires when TCP is connected. The handshake has not begun, and a server with "
    "a wrong certificate looks connected as well.",
    cure="Wait for handshakeCompleted of a protocol that declares IHandshakeListener.",
    finding="connect-before-verification",
    words=("wrapClientTLS",),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
