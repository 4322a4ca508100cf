"""PURE.  A Python module that is read, but never imported: its tree, imports and classes."""

from __future__ import annotations

import ast
import sys
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef

_DEEP_STACK = 1 << 30
"""Bytes of a stack on which what fits in a file of some megabytes can be parsed; few are used."""

FUNCTION_NODES = (ast.FunctionDef, ast.AsyncFunctionDef)


class NotPython(Exception):
    """The source is none that this version of Python can parse; the message says why."""


class PythonSource:
    """The tree of a module, and what names in it stand for."""

    def __init__(self, content: bytes) -> None:
        """Parse the content of a file.

        Raises:
            NotPython: If it cannot be parsed.
        """
        try:
            with warnings.catch_warnings():
                # Of invalid escapes and the like: they are not what is looked for.
                warnings.simplefilter("ignore")
                self.tree = _parsed(content)
        except SyntaxError as problem:
            where = f", line {problem.lineno}" if problem.lineno else ""
            raise NotPython(f"it cannot be parsed as Python{where}: {problem.msg}") from None
        except (RecursionError, MemoryError):
            raise NotPython("it is nested too deeply to be parsed") from None
        except ValueError as problem:
            raise NotPython(f"it cannot be parsed as Python: {problem}") from None
        self._names: dict[str, str] = {}
        self.classes: dict[str, ast.ClassDef] = {}
        self._all = list(nodes_in(self.tree))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._names.update(_imported(node))
            elif isinstance(node, ast.ClassDef):
                self.classes[node.name] = node

    def walk(self) -> Iterator[ast.AST]:
        """Yield all nodes, except those for type checkers only."""
        return iter(self._all)

    def functions(self) -> Iterator[FunctionNode]:
        """Yield all functions and methods, nested ones included."""
        for node in self.walk():
            if isinstance(node, FUNCTION_NODES):
                yield node

    def full_name(self, node: ast.AST) -> str:
        """Return the dotted name of a name or attribute, with imports resolved; otherwise ""."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        parts.append(self._names.get(node.id, node.id))
        return ".".join(reversed(parts))

    def calls(self) -> Iterator[tuple[ast.Call, str]]:
        """Yield all calls, each with the full name of what is called, or ""."""
        for node in self._all:
            if isinstance(node, ast.Call):
                yield node, self.full_name(node.func)


def _parsed(content: bytes) -> ast.Module:
    if sys.version_info >= (3, 11):
        return ast.parse(content)
    # Python 3.10 does not bound how deep it goes, and would crash on a small stack.
    with ThreadPoolExecutor(1) as executor:
        usual = threading.stack_size(_DEEP_STACK)
        try:
            future = executor.submit(ast.parse, content)
        finally:
            threading.stack_size(usual)
        return future.result()


def nodes_in(root: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes below a node, breadth first, except those for type checkers only."""
    waiting = deque([root])
    while waiting:
        node = waiting.popleft()
        yield node
        if isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            waiting.extend(node.orelse)
        else:
            waiting.extend(ast.iter_child_nodes(node))


def _is_for_type_checkers(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    for alias in node.names:
        if isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield alias.asname or alias.name, f"{module}.{alias.name}"
        elif alias.asname:
            yield alias.asname, alias.name
        else:
            first = alias.name.partition(".")[0]
            yield first, first
