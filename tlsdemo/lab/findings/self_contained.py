"""Writes one source file with everything of tlsdemo that some of its functions need, and no more.

The result imports only the standard library and what tlsdemo itself imports from others.  It is how
a reproduction gets to those who do not have tlsdemo.

Theory of operation.  From the names asked for, every definition is followed that is mentioned in
one already taken, through tlsdemo's own imports.  A method whose name nobody mentions is left out;
those in Twisted's style stay, because Twisted calls them.  Two modules may use the same private
name: then the module's name is appended to it.  The text is cut out of the sources, with its
comments, rather than printed from the syntax tree.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path

Name = tuple[str, str]
"""A module, and a name that it defines."""

_OURS = "tlsdemo"
_CALLED_BY_OTHERS = re.compile(r"__\w+__|.*[A-Z]")


class _Definition:
    """A top-level statement with the comment above it and the docstring below it."""

    def __init__(self, node: ast.stmt, first: int, last: int) -> None:
        self.node = node
        self.first = first
        self.last = last

    @cached_property
    def methods(self) -> list[_Definition]:
        """The methods of a class that may be left out."""
        if not isinstance(self.node, ast.ClassDef):
            return []
        last, found = self.node.lineno, []
        for each in self.node.body:
            if isinstance(
                each, ast.FunctionDef | ast.AsyncFunctionDef
            ) and not _CALLED_BY_OTHERS.match(each.name):
                found.append(_Definition(each, last + 1, _end(each)))
            last = _end(each)
        return found

    def mentioned(self, without: Iterable[ast.stmt]) -> Iterator[ast.AST]:
        """Yield the syntax below this one, except ``without``."""
        left_out, waiting = set(without), [self.node]
        while waiting:
            node: ast.AST = waiting.pop()
            yield node
            waiting.extend(each for each in ast.iter_child_nodes(node) if each not in left_out)  # type: ignore[misc]


class _Module:
    """One module of tlsdemo: its definitions, and where the names come from that it imports."""

    def __init__(self, name: str) -> None:
        spec = find_spec(name)
        assert spec is not None and spec.origin is not None
        self.name = name
        source = Path(spec.origin).read_text(encoding="utf-8")
        self.lines = source.splitlines()
        self.definitions: dict[str, _Definition] = {}
        self.ours: dict[str, Name] = {}
        self.imports: dict[str, str] = {}
        last, latest = 0, None
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                self._import(node)
            elif isinstance(node, ast.Expr) and latest is not None:
                latest.last = _end(node)
            else:
                latest = _Definition(node, last + 1, _end(node))
                self.definitions.update(dict.fromkeys(_bound(node), latest))
            last = _end(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            called = alias.asname or alias.name
            renamed = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.Import):
                self.imports[called.partition(".")[0]] = f"import {alias.name}{renamed}"
            elif (node.module or "").split(".")[0] == _OURS:
                self.ours[called] = (node.module or "", alias.name)
            elif node.module != "__future__":
                self.imports[called] = f"from {node.module} import {alias.name}{renamed}"


class SelfContained:
    """Everything that ``names`` need.

    Args:
        names: What is wanted.
        instead: Names that are to be taken from elsewhere.
        methods: Names of methods that the caller will use.
        bare: Whether docstrings are left out.
    """

    def __init__(
        self,
        names: Iterable[Name],
        instead: Mapping[Name, Name],
        methods: Iterable[str] = (),
        bare: bool = False,
    ) -> None:
        self._bare = bare
        self._instead = instead
        self._taken: dict[Name, None] = {}
        self._attributes = set(methods)
        self._imports: set[str] = set()
        # A module comes after those that it needs.
        self._order: list[str] = []
        wanted = list(names)
        before: tuple[int, int] = (-1, -1)
        while before != (before := (len(self._taken), len(self._attributes))):
            seen: set[Name] = set()
            for name in wanted:
                self._take(name, seen)
        self._new_names = dict(self._renamings())

    def name_of(self, name: Name) -> str:
        """Return what ``name`` is called in the result."""
        return self._new_names.get(name, name[1])

    @property
    def imports(self) -> str:
        """The imports that the text needs, sorted: the standard library, then the others."""
        named: dict[str, set[str]] = {}
        lines: list[tuple[bool, str, str]] = []
        for each in self._imports:
            module, _, name = each.partition(" import ")
            if name:
                named.setdefault(module, set()).add(name)
            else:
                lines.append((_is_foreign(each), each, each))
        for module, names in named.items():
            lines.append((_is_foreign(module), module, f"{module} import {_listed(names)}"))
        # "import" comes before "from".
        lines.sort(key=lambda line: (line[0], line[1][:1] != "i", line[1].lower()))
        groups = [[text for foreign, _, text in lines if foreign is each] for each in (False, True)]
        return "\n\n".join("\n".join(group) for group in groups if group)

    @property
    def text(self) -> str:
        """The definitions, in an order in which they can be executed."""
        return self.text_of(self._order)

    def text_without(self, modules: Sequence[str]) -> str:
        """Return the definitions of all modules except these."""
        return self.text_of([each for each in self._order if each not in modules])

    def text_of(self, modules: Sequence[str]) -> str:
        """Return the definitions of these modules."""
        pieces = []
        for module in map(_module, modules):
            done: set[int] = set()
            for name, definition in module.definitions.items():
                if (module.name, name) in self._taken and id(definition) not in done:
                    done.add(id(definition))
                    pieces.append(self._cut(module, definition))
        return "\n\n\n".join(pieces) + "\n"

    def _take(self, name: Name, seen: set[Name]) -> None:
        name = self._instead.get(name, name)
        if name in seen:
            return
        seen.add(name)
        module = _module(name[0])
        if name[1] in module.ours:
            return self._take(module.ours[name[1]], seen)
        self._taken[name] = None
        definition = module.definitions[name[1]]
        for node in definition.mentioned(each.node for each in self._left_out(definition)):
            if isinstance(node, ast.Attribute):
                self._attributes.add(node.attr)
            elif isinstance(node, ast.Name):
                self._mention(module, node.id, seen)
        if module.name not in self._order:
            self._order.append(module.name)
        return None

    def _mention(self, module: _Module, called: str, seen: set[Name]) -> None:
        if called in module.definitions:
            self._take((module.name, called), seen)
        elif called in module.ours:
            self._take(module.ours[called], seen)
        elif called in module.imports:
            self._imports.add(module.imports[called])

    def _left_out(self, definition: _Definition) -> list[_Definition]:
        return [each for each in definition.methods if each.node.name not in self._attributes]  # type: ignore[attr-defined]

    def _renamings(self) -> Iterator[tuple[Name, str]]:
        used: dict[str, Name] = {}
        for name in self._taken:
            if used.setdefault(name[1], name) != name:
                yield name, f"{name[1]}_{name[0].rpartition('.')[2]}"

    def _cut(self, module: _Module, definition: _Definition) -> str:
        lines: dict[int, bytes] = {
            number: module.lines[number - 1].encode()
            for number in range(definition.first, definition.last + 1)
        }
        left_out = self._left_out(definition)
        for start, end, new in sorted(self._replacements(module, definition, left_out))[::-1]:
            line = lines[start[0]]
            lines[start[0]] = line[: start[1]] + new + line[end:]
        gone = [(each.first, each.last) for each in left_out]
        for first, last in _docstrings(definition) if self._bare else ():
            # With the empty line below it.
            gone.append((first, last + (lines.get(last + 1) == b"")))
        for first, last in gone:
            for number in range(first, last + 1):
                lines.pop(number, None)
        return b"\n".join(lines.values()).decode().strip("\n")

    def _replacements(
        self, module: _Module, definition: _Definition, left_out: list[_Definition]
    ) -> Iterator[tuple[tuple[int, int], int, bytes]]:
        for node in definition.mentioned(each.node for each in left_out):
            if isinstance(node, ast.Name):
                old, at = node.id, (node.lineno, node.col_offset)
            elif node is definition.node and isinstance(
                node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            ):
                old, line = node.name, module.lines[node.lineno - 1]
                at = (node.lineno, line.encode().index(old.encode()))
            else:
                continue
            origin = module.ours.get(old, (module.name, old))
            new = self.name_of(self._instead.get(origin, origin))
            if new != old and not hasattr(builtins, old):
                yield at, at[1] + len(old.encode()), new.encode()


@cache
def _module(name: str) -> _Module:
    return _Module(name)


def _bound(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
    ]


def _docstrings(definition: _Definition) -> Iterator[tuple[int, int]]:
    """Yield the first and the last line of each, except where there is nothing else."""
    yield _end(definition.node) + 1, definition.last
    for node in ast.walk(definition.node):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            texts = [each for each in node.body if _is_text(each)]
            if len(texts) < len(node.body):
                yield from ((each.lineno, _end(each)) for each in texts)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_foreign(statement: str) -> bool:
    return statement.split()[1].partition(".")[0] not in sys.stdlib_module_names


def _end(node: ast.stmt) -> int:
    assert node.end_lineno is not None
    return node.end_lineno


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    line = ", ".join(ordered)
    return line if len(line) < 50 else "(\n    " + ",\n    ".join(ordered) + ",\n)"
