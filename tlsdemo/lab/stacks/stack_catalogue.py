"""The catalogue of stacks, by name: their ecosystem, their program, and their availability."""

from __future__ import annotations

import asyncio
import functools
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from tlsdemo.lab.stacks.stack_config import StackConfig
from tlsdemo.net.command import CommandFailed, run_command

_HERE = Path(__file__).resolve().parent
_TIMEOUT = 20.0


@dataclass(frozen=True)
class Availability:
    """Whether a stack can be used on this machine.

    Attributes:
        version: What is installed; empty if nothing is.
        reason: Why the stack is not available, in one line; None if it is.
    """

    version: str
    reason: str | None = None


@dataclass(frozen=True)
class Stack:
    """A server program that uses one TLS API of one ecosystem.

    Attributes:
        name: What users call it (``--peer``).
        ecosystem: The ecosystem that it belongs to.
        title: The API that it uses.
        program: The command line, without the configuration, which is the last argument.
        availability: Returns whether it can be used on this machine.
        secured: The event that informs the application of a completed handshake.
    """

    name: str
    ecosystem: str
    title: str
    program: tuple[str, ...]
    availability: Callable[[], Availability]
    secured: str

    def command(self, config: StackConfig) -> list[str]:
        """Return the command line of one run."""
        return [*self.program, config.as_json()]


def _python(module: str) -> tuple[str, ...]:
    return sys.executable, "-m", f"tlsdemo.lab.stacks.{module}"


def _node(name: str) -> tuple[str, ...]:
    # Warnings are recorded as events, and would only clutter standard error.
    return "node", "--no-warnings", str(_HERE / f"{name}.js")


def python_availability() -> Availability:
    """Return the version of this Python."""
    return Availability(f"Python {platform.python_version()}")


def streams_availability() -> Availability:
    """Return whether the streams of this Python support ``start_tls``."""
    python = python_availability()
    if hasattr(asyncio.StreamWriter, "start_tls"):
        return python
    return Availability(
        python.version, f"StreamWriter.start_tls came with Python 3.11; this is {python.version}"
    )


def twisted_availability() -> Availability:
    """Return the installed version of Twisted."""
    return Availability(f"Twisted {metadata.version('Twisted')}")


def node_availability() -> Availability:
    """Return the version of the Node on the PATH, if there is one."""
    version, _pair = _ask_node(shutil.which("node"))
    if not version:
        return Availability("", "there is no node on the PATH that runs")
    return Availability(f"Node {version}")


def securepair_availability() -> Availability:
    """Return whether the Node on the PATH still has ``tls.createSecurePair``."""
    node = node_availability()
    _version, pair = _ask_node(shutil.which("node"))
    if node.reason is None and pair != "function":
        return Availability(
            node.version, f"tls.createSecurePair is not available in {node.version}"
        )
    return node


@functools.cache
def _ask_node(node: str | None) -> tuple[str, str]:
    """Return Node's version and ``typeof createSecurePair``; empty strings if it does not run."""
    if node is None:
        return "", ""
    ask = "console.log(process.versions.node, typeof require('node:tls').createSecurePair)"
    try:
        done = run_command([node, "--no-warnings", "-e", ask], _TIMEOUT)
        version, pair = done.output.split()[-2:]
    except (CommandFailed, ValueError):
        return "", ""
    return ("", "") if done.status else (version, pair)


STACKS = {
    stack.name: stack
    for stack in (
        Stack(
            "asyncio-start_tls",
            "asyncio",
            "loop.start_tls under a protocol",
            _python("asyncio_start_tls"),
            python_availability,
            "start_tls returned",
        ),
        Stack(
            "asyncio-streams",
            "asyncio",
            "StreamWriter.start_tls",
            _python("asyncio_streams"),
            streams_availability,
            "start_tls returned",
        ),
        Stack(
            "twisted-starttls",
            "Twisted",
            "startTLS in connectionMade",
            _python("twisted_starttls"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Stack(
            "twisted-wrapped",
            "Twisted",
            "TLSMemoryBIOFactory",
            _python("twisted_wrapped"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Stack(
            "twisted-pair",
            "Twisted",
            "a TLSMemoryBIOProtocol fed by hand",
            _python("twisted_pair"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Stack(
            "node-tlssocket",
            "Node",
            "new tls.TLSSocket(socket, {isServer: true})",
            _node("node_tlssocket"),
            node_availability,
            "secure",
        ),
        Stack(
            "node-securepair",
            "Node",
            "tls.createSecurePair()",
            _node("node_securepair"),
            securepair_availability,
            "secure",
        ),
    )
}
