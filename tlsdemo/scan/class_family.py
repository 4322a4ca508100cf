"""PURE.  A class with those that it derives from, as far as one module tells."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache

from tlsdemo.scan.python_source import FUNCTION_NODES, FunctionNode, PythonSource, nodes_in

_DECORATORS = ("implementer", "implementer_only")

_DECLARING = (
    *("classImplements", "classImplementsFirst", "classImplementsOnly"),
    *("alsoProvides", "directlyProvides"),
)
"""What is called with what gets an interface, and with the interface."""

_PROTOCOLS = (
    "twisted.internet.protocol.",
    "twisted.protocols.",
    "twisted.mail.",
    "twisted.spread.",
    "twisted.web.",
    "twisted.words.protocols.",
)
"""Where Twisted's own protocols are."""

_LINE_RECEIVERS = {
    *("twisted.protocols.basic.LineReceiver", "twisted.protocols.basic.LineOnlyReceiver"),
    *("twisted.mail.smtp.SMTP", "twisted.mail.smtp.ESMTP", "twisted.mail.pop3.POP3"),
    *("twisted.mail.smtp.SMTPClient", "twisted.mail.smtp.ESMTPClient"),
    *("twisted.mail.imap4.IMAP4Server", "twisted.mail.imap4.IMAP4Client"),
    *("twisted.mail.pop3.POP3Client", "twisted.mail.pop3.AdvancedPOP3Client"),
    *("twisted.words.protocols.irc.IRC", "twisted.words.protocols.irc.IRCClient"),
}


class ClassFamily:
    """A class, its ancestors in the same module, and the names of those that are elsewhere."""

    def __init__(self, source: PythonSource, own: ast.ClassDef) -> None:
        self._source = source
        self.own = own
        self.local: list[ast.ClassDef] = []
        self.foreign: set[str] = set()
        self._known: set[ast.ClassDef] = set()
        waiting = deque([own])
        while waiting:
            each = waiting.popleft()
            if each in self._known:
                continue
            self._known.add(each)
            self.local.append(each)
            for base in each.bases:
                # Generic[T] is a Generic.
                name = source.full_name(base.value if isinstance(base, ast.Subscript) else base)
                if name in source.classes:
                    waiting.append(source.classes[name])
                else:
                    self.foreign.add(name)

    @property
    def is_protocol(self) -> bool:
        """Whether one of Twisted's protocols is among its ancestors."""
        return any(name.startswith(_PROTOCOLS) for name in self.foreign)

    @property
    def is_line_receiver(self) -> bool:
        """Whether it has the line buffer of one of Twisted's line receivers."""
        return bool(self.foreign & _LINE_RECEIVERS)

    @property
    def is_known(self) -> bool:
        """Whether all that it inherits is in this module, in Twisted, or in Python."""
        return all(
            name.startswith(("twisted.", "typing.")) or name in ("object", "Generic")
            for name in self.foreign
        )

    def method(self, name: str) -> FunctionNode | None:
        """Return the method that the class has, also inherited within the module."""
        for each in self.local:
            for node in each.body:
                if isinstance(node, FUNCTION_NODES) and node.name == name:
                    return node
        return None

    def own_methods(self) -> Iterator[FunctionNode]:
        """Yield the methods that are defined in the class itself."""
        for node in self.own.body:
            if isinstance(node, FUNCTION_NODES):
                yield node

    def upgrades(self) -> Iterator[tuple[FunctionNode, list[ast.Call]]]:
        """Yield the methods of the class itself that call startTLS, each with the calls.

        When the connection is made, nothing has been received, so that the call is the only one.
        """
        for method in self.own_methods():
            calls = list(transport_calls(method, "startTLS"))
            if calls and method.name != "connectionMade":
                yield method, calls

    def nodes(self) -> Iterator[ast.AST]:
        """Yield all nodes of the class and of its ancestors in the module."""
        for each in self.local:
            yield from nodes_in(each)

    def may_declare(self, interface: str) -> bool:
        """Return whether it declares an interface of Twisted, or one that cannot be looked into."""
        related = [*self.local, *self._derived()]
        decorators = [each for node in related for each in node.decorator_list]
        calls = [
            *(each for each in decorators if isinstance(each, ast.Call)),
            # Of any class: an object may be given an interface far from its class.
            *(call for call, name in self._source.calls() if name.endswith(_DECLARING)),
        ]
        return any(self._declares(call, interface) for call in calls)

    def _derived(self) -> Iterator[ast.ClassDef]:
        """Yield the classes in the same module that derive from it."""
        for each in families(self._source):
            if self.own in each._known:
                yield each.own

    def _declares(self, call: ast.Call, interface: str) -> bool:
        if not self._source.full_name(call.func).endswith((*_DECORATORS, *_DECLARING)):
            return False
        names = [self._source.full_name(each) for each in call.args]
        return any(
            name.endswith(f".{interface}") or not name.startswith("twisted.") for name in names
        )


@lru_cache(maxsize=1)
def families(source: PythonSource) -> Sequence[ClassFamily]:
    """Return each class of a module with its ancestors; several rules ask for those of one."""
    return [ClassFamily(source, node) for node in source.walk() if isinstance(node, ast.ClassDef)]


def transport_calls(within: ast.AST, *names: str) -> Iterator[ast.Call]:
    """Yield the calls of ``self.transport.NAME`` for these names."""
    for node in nodes_in(within):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in names
            and is_own_attribute(node.func.value, "transport")
        ):
            yield node


def is_own_attribute(node: ast.AST, name: str) -> bool:
    """Return whether a node is ``self.NAME``."""
    return own_attribute(node) == name


def own_attribute(node: ast.AST) -> str:
    """Return the name of an attribute of ``self``; "" if the node is none."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "self" else ""
    return ""
