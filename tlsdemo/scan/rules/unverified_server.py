"""PURE.  A client that talks to any server."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tlsdemo.scan.python_source import FUNCTION_NODES, FunctionNode, PythonSource, nodes_in
from tlsdemo.scan.rule import Rule, Spot

# Without "twisted.internet": projects have modules of this name that pass Twisted's on.
_OLD = (".ssl.ClientContextFactory", "twisted.web.client.WebClientContextFactory")
_OPTIONS = ".ssl.CertificateOptions"

_OF_CLIENTS = {"connectSSL", "SSL4ClientEndpoint", "wrapClientTLS", "SSLClient"}
"""What takes the TLS of a client as an argument."""

_MAKING = {"getContext", "creatorForNetloc", "clientConnectionForTLS"}
"""The methods of a context factory.  What they return may be made, and verify, elsewhere."""

_VERIFYING = {"trustRoot", "caCerts"}

_BAD = """\
from twisted.internet import reactor, ssl


def connect(factory):
    reactor.connectSSL("example.com", 993, factory, ssl.ClientContextFactory())
"""

_GOOD = """\
from twisted.internet import reactor, ssl


def connect(factory):
    tls = ssl.optionsForClientTLS("example.com")
    reactor.connectSSL("example.com", 993, factory, tls)
"""


def _check(source: PythonSource) -> Iterator[tuple[Spot, str]]:
    for call, name in source.calls():
        if name.endswith(_OLD):
            yield call, f"{name.rpartition('.')[2]} verifies nothing"
    for node in source.walk():
        if isinstance(node, ast.ClassDef) and _verifies_nothing(source, node):
            yield node, f"{node.name} verifies nothing, as what it derives from"
        elif isinstance(node, FUNCTION_NODES):
            yield from _options_of_clients(source, node)


def _verifies_nothing(source: PythonSource, node: ast.ClassDef) -> bool:
    if not any(source.full_name(base).endswith(_OLD) for base in node.bases):
        return False
    within = list(nodes_in(node))
    called = {
        each.func.attr if isinstance(each.func, ast.Attribute) else source.full_name(each.func)
        for each in within
        if isinstance(each, ast.Call)
    }
    makes = {each.name for each in within if isinstance(each, FUNCTION_NODES)} & _MAKING
    return "set_verify" not in called and (not makes or bool(called & {"Context", "getContext"}))


def _options_of_clients(source: PythonSource, function: FunctionNode) -> Iterator[tuple[Spot, str]]:
    made: dict[str, ast.Call] = {}
    used: list[ast.expr] = []
    for node in nodes_in(function):
        if isinstance(node, ast.Assign) and _is_unverified(source, node.value):
            assert isinstance(node.value, ast.Call)
            made.update(
                {each.id: node.value for each in node.targets if isinstance(each, ast.Name)}
            )
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = called or source.full_name(node.func).rpartition(".")[2]
            if called in _OF_CLIENTS:
                used += [*node.args, *(each.value for each in node.keywords)]
        elif isinstance(node, ast.Return) and function.name == "creatorForNetloc":
            used += [node.value] if node.value is not None else []
    for argument in used:
        call = made.get(argument.id) if isinstance(argument, ast.Name) else argument
        if call is not None and _is_unverified(source, call):
            yield call, "CertificateOptions without trustRoot verifies nothing"


def _is_unverified(source: PythonSource, node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and source.full_name(node.func).endswith(_OPTIONS)
        and not any(isinstance(each, ast.Starred) for each in node.args)
        # A keyword without a name is **, which may bring any.
        and not any(each.arg is None or each.arg in _VERIFYING for each in node.keywords)
    )


RULE = Rule(
    name="unverified-server",
    title="Old context factories of clients, which verify nothing.",
    why="ClientContextFactory, and CertificateOptions without trustRoot, accept every certificate "
    "of every server: whoever is on the network can be the server.",
    cure="Use optionsForClientTLS(name), which verifies the certificate and the name.",
    finding="",
    words=("ClientContextFactory", "CertificateOptions"),
    check=_check,
    bad=_BAD,
    good=_GOOD,
)
