"""Endpoint strings, checked before anything starts, with errors that name the wrong part.

Twisted's parsers are plugins; for an invalid string they raise whatever Python raises when their
arguments do not fit.  So the usual types have a table here, and others are only tried.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from twisted.internet import endpoints
from twisted.internet.interfaces import IReactorCore
from twisted.python import usage

from tlsdemo.cli.suggestions import did_you_mean

_PART = re.compile(r"((?:\\.|[^:])*)(:|$)", re.DOTALL)
_NAME = re.compile(r"([^=\\]*)=(.*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


@dataclass(frozen=True)
class EndpointString:
    """The parts of an endpoint string: its type, and its arguments without and with a name."""

    kind: str
    arguments: tuple[str, ...]
    named: Mapping[str, str]

    @classmethod
    def split(cls, where: str) -> EndpointString:
        r"""Split an endpoint string; a backslash takes a colon for a part of the text.

        >>> EndpointString.split(r"tcp:host=\:\:1:25")
        EndpointString(kind='tcp', arguments=('25',), named={'host': '::1'})
        """
        parts = []
        for match in _PART.finditer(where):
            parts.append(match[1])
            if not match[2]:
                break
        matches = [_NAME.fullmatch(part) for part in parts[1:]]
        plain = [part for part, match in zip(parts[1:], matches, strict=True) if match is None]
        return cls(
            parts[0] if parts else "",
            tuple(_ESCAPED.sub(r"\1", part) for part in plain),
            {match[1]: _ESCAPED.sub(r"\1", match[2]) for match in matches if match is not None},
        )


@dataclass(frozen=True)
class _Kind:
    """The arguments of a type: ``required``, in their order, and ``optional`` ones."""

    required: tuple[str, ...]
    optional: tuple[str, ...]


@dataclass(frozen=True)
class _Side:
    kinds: Mapping[str, _Kind]
    example: str
    lowest_port: int
    parse: Callable[[Any, str], object]


_SERVER = _Side(
    {
        "tcp": _Kind(("port",), ("interface", "backlog")),
        "unix": _Kind(("address",), ("mode", "backlog", "lockfile")),
    },
    "tcp:8899:interface=127.0.0.1",
    0,
    endpoints.serverFromString,
)
_CLIENT = _Side(
    {
        "tcp": _Kind(("host", "port"), ("timeout", "bindAddress")),
        "unix": _Kind(("path",), ("timeout", "lockfile")),
    },
    "tcp:127.0.0.1:8899",
    1,
    endpoints.clientFromString,
)


def check_server_endpoint(reactor: IReactorCore, option: str, where: str, prefix: str = "") -> None:
    """Raise UsageError with the reason if ``where`` is not a server endpoint string.

    ``prefix``: what may stand before it.
    """
    _check(_SERVER, reactor, option, where, prefix)


def check_client_endpoint(reactor: IReactorCore, option: str, where: str) -> None:
    """Raise UsageError with the reason if ``where`` is not a client endpoint string."""
    _check(_CLIENT, reactor, option, where)


def _check(side: _Side, reactor: IReactorCore, option: str, where: str, prefix: str = "") -> None:
    bare = where.removeprefix(prefix)
    problem = _problem(side, EndpointString.split(bare)) or _tried(side, reactor, bare)
    if problem is not None:
        raise usage.UsageError(
            f"--{option} is {where!r}, not an endpoint string such as {side.example}: {problem}"
        )


def _problem(side: _Side, endpoint: EndpointString) -> str | None:
    """Return what is wrong with an endpoint of a known type."""
    kind = side.kinds.get(endpoint.kind)
    if kind is None:
        return None
    positional = (*kind.required, *kind.optional)
    if len(endpoint.arguments) > len(positional):
        return f"{endpoint.arguments[len(positional)]!r} is one part too many"
    given = {**dict(zip(positional, endpoint.arguments, strict=False)), **endpoint.named}
    for name in endpoint.named:
        if name not in positional:
            return f"{endpoint.kind} has no {name!r}{did_you_mean(name, positional)}"
    for name in kind.required:
        if not given.get(name):
            return f"the {name} is missing"
    for name, least, most in (("port", side.lowest_port, 65535), ("backlog", 1, 1 << 31)):
        text = given.get(name, str(least))
        if not text.isdecimal() or not least <= int(text) <= most:
            return f"the {name} is {text!r}, not between {least} and {most:,}"
    return None


def _tried(side: _Side, reactor: IReactorCore, where: str) -> str | None:
    """Return what is wrong with an endpoint according to the parser of its type."""
    try:
        side.parse(reactor, where)
    except OSError as problem:
        # For example the certificate of ssl:.
        return f"{problem.filename or where}: {problem.strerror}"
    except Exception as problem:
        kind = where.partition(":")[0]
        if isinstance(problem, ValueError) and str(problem).startswith("Unknown endpoint type"):
            return f"there is no type {kind!r}{did_you_mean(kind, side.kinds)}"
        # What it has passed to another process, such as a shell that started us, stays there.
        if kind == "systemd" and os.environ.get("LISTEN_PID") != str(os.getpid()):
            return "systemd has passed no socket (LISTEN_PID is not ours); see docs/running.md"
        # Parsers are plugins, whose exceptions say more of their code than of the string.
        return f"type {kind!r} does not take these parts"
    return None
