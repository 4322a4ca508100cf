"""The catalogue of peers: by name, whose they are, how they start, and whether they can."""

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
_ASK_WITHIN = 20.0


@dataclass(frozen=True)
class Availability:
    """Whether a peer can be started here: ``reason`` is None, or one line that says why not."""

    version: str
    reason: str | None = None


@dataclass(frozen=True)
class Peer:
    """One program that secures a connection in the way of its ecosystem.

    Attributes:
        name: What it is asked for by.
        ecosystem: Whose it is.
        title: What it does, in the words of its ecosystem.
        program: The command that runs it; its configuration is the last argument.
        availability: Asks the system, the first time by starting a program where it has to.
        secured: The event that tells the application that the handshake is complete.
    """

    name: str
    ecosystem: str
    title: str
    program: tuple[str, ...]
    availability: Callable[[], Availability]
    secured: str

    def command(self, config: StackConfig) -> list[str]:
        """Return the command line for one run."""
        return [*self.program, config.as_json()]


def _python(module: str) -> tuple[str, ...]:
    return sys.executable, "-m", f"tlsdemo.lab.stacks.{module}"


def _node(name: str) -> tuple[str, ...]:
    # A warning of a deprecation is an event as well; it need not be on standard error.
    return "node", "--no-warnings", str(_HERE / f"{name}.js")


def python_availability() -> Availability:
    """Say which Python this is."""
    return Availability(f"Python {platform.python_version()}")


def streams_availability() -> Availability:
    """Say whether this Python's streams can be secured."""
    here = python_availability()
    if hasattr(asyncio.StreamWriter, "start_tls"):
        return here
    return Availability(
        here.version, f"StreamWriter.start_tls came with Python 3.11; this is {here.version}"
    )


def twisted_availability() -> Availability:
    """Say which Twisted this is."""
    return Availability(f"Twisted {metadata.version('Twisted')}")


def node_availability() -> Availability:
    """Say whether there is Node on the PATH, and which."""
    version, _pair = _ask_node(shutil.which("node"))
    if not version:
        return Availability("", "there is no node on the PATH that runs")
    return Availability(f"Node {version}")


def securepair_availability() -> Availability:
    """Say whether the Node on the PATH has ``tls.createSecurePair`` still."""
    here = node_availability()
    _version, pair = _ask_node(shutil.which("node"))
    if here.reason is None and pair != "function":
        return Availability(
            here.version, f"tls.createSecurePair is not available in {here.version}"
        )
    return here


@functools.cache
def _ask_node(node: str | None) -> tuple[str, str]:
    """Return Node's version and its type of createSecurePair; empty where it does not run."""
    if node is None:
        return "", ""
    ask = "console.log(process.versions.node, typeof require('node:tls').createSecurePair)"
    try:
        done = run_command([node, "--no-warnings", "-e", ask], _ASK_WITHIN)
        version, pair = done.output.split()[-2:]
    except (CommandFailed, ValueError):
        return "", ""
    return ("", "") if done.status else (version, pair)


STACKS = {
    peer.name: peer
    for peer in (
        Peer(
            "asyncio-start_tls",
            "asyncio",
            "loop.start_tls under a protocol",
            _python("asyncio_start_tls"),
            python_availability,
            "start_tls returned",
        ),
        Peer(
            "asyncio-streams",
            "asyncio",
            "StreamWriter.start_tls",
            _python("asyncio_streams"),
            streams_availability,
            "start_tls returned",
        ),
        Peer(
            "twisted-starttls",
            "Twisted",
            "startTLS in connectionMade",
            _python("twisted_starttls"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Peer(
            "twisted-wrapped",
            "Twisted",
            "TLSMemoryBIOFactory",
            _python("twisted_wrapped"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Peer(
            "twisted-pair",
            "Twisted",
            "a TLSMemoryBIOProtocol fed by hand",
            _python("twisted_pair"),
            twisted_availability,
            "handshakeCompleted",
        ),
        Peer(
            "node-tlssocket",
            "Node",
            "new tls.TLSSocket(socket, {isServer: true})",
            _node("node_tlssocket"),
            node_availability,
            "secure",
        ),
        Peer(
            "node-securepair",
            "Node",
            "tls.createSecurePair()",
            _node("node_securepair"),
            securepair_availability,
            "secure",
        ),
    )
}
