"""What the library's package offers: everything that its public signatures mention."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import tls


def signatures(offered: Any) -> Iterator[Any]:
    """The public functions of what is offered, with the constructor."""
    if not inspect.isclass(offered):
        if inspect.isfunction(offered):
            yield offered
        return
    for name, member in vars(offered).items():
        function = getattr(member, "__func__", getattr(member, "fget", member))
        if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            yield function


def types_in(annotation: Any) -> Iterator[type]:
    """The types that an annotation is made of."""
    arguments = typing.get_args(annotation)
    if inspect.isclass(annotation) and not arguments:
        yield annotation
    for each in arguments:
        for argument in each if isinstance(each, list) else [each]:
            yield from types_in(argument)


class PublicNamesTests(SynchronousTestCase):
    def test_everything_imported_is_in_all(self) -> None:
        source = inspect.getsource(tls)
        imported = {
            alias.asname or alias.name
            for node in ast.parse(source).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        self.assertEqual(imported, set(tls.__all__))

    def test_every_type_in_a_public_signature_can_be_imported(self) -> None:
        offered = {
            getattr(tls, name)
            for name in tls.__all__
            if name.isidentifier() and inspect.isclass(getattr(tls, name))
        }
        missing = set()
        for name in tls.__all__:
            if not getattr(getattr(tls, name), "__module__", "").startswith("tlsdemo.tls"):
                # What comes from another room has its own.
                continue
            for function in signatures(getattr(tls, name)):
                names = {**vars(inspect.getmodule(function)), **vars(tls)}
                hints = typing.get_type_hints(function, names)
                for annotation in hints.values():
                    missing |= {
                        f"{name}.{function.__name__}: {each.__name__}"
                        for each in types_in(annotation)
                        if each.__module__.startswith("tlsdemo.") and each not in offered
                    }
        self.assertEqual(missing, set())
