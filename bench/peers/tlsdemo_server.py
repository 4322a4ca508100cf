"""tlsdemo as a peer: ``twistd tlsdemo`` of this or of another checkout."""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from bench.child import CannotMeasure, Child, NotInstalled
from bench.peers.setup import Peer, Running, Setup
from tlsdemo.net.command import run_command
from tlsdemo.tls import versions

ROOT = Path(__file__).resolve().parent.parent.parent

_TWISTD = "from twisted.scripts.twistd import run; run()"
_UVLOOP = (
    "import asyncio, uvloop; asyncio.set_event_loop_policy(uvloop.EventLoopPolicy()); " + _TWISTD
)
_LISTENING = re.compile(r"listening on tcp:127\.0\.0\.1:(\d+)")
_START_WITHIN = 30.0
_BACKLOG = 4096


def tlsdemo_peer(
    name: str,
    about: str,
    mode: str,
    delivery: str,
    *,
    reactor: str = "",
    workers: int = 1,
    checkout: Path = ROOT,
    variant: bool = False,
    profile: str = "",
    more: Sequence[str] = (),
    program: Sequence[str] = (),
) -> Peer:
    """Return the peer that is tlsdemo.

    ``reactor``: one of twistd's, or ``uvloop`` for that of asyncio with uvloop; the default is
    epoll.  ``workers``: how many processes accept.  ``profile``: the file to which cProfile writes
    what it has found, when the process ends.  ``more``: more options.  ``program``: arguments of
    Python for another program than twistd.
    """
    options = [f"--mode={mode}", f"--delivery={delivery}", *more]
    if workers > 1:
        options.append(f"--workers={workers}")

    def start(setup: Setup) -> Running:
        if workers > 1 and "--workers" not in _help(checkout):
            raise NotInstalled("this tlsdemo has no --workers")
        return _start(setup, options, reactor, checkout, profile, program)

    return Peer(name, about, start, ours=True, variant=variant)


def _help(checkout: Path) -> str:
    command = [sys.executable, "-c", _TWISTD, "tlsdemo", "--help-all"]
    return run_command(command, timeout=30, env=_environment(checkout), cwd=checkout).output


def _environment(checkout: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(checkout)}


def _start(
    setup: Setup,
    options: Sequence[str],
    reactor: str,
    checkout: Path,
    profile: str,
    program: Sequence[str] = (),
) -> Running:
    if reactor == "uvloop" and find_spec("uvloop") is None:
        raise NotInstalled("there is no package uvloop")
    own, log, status = setup.credentials, setup.home / "log", setup.home / "status"
    child = Child(
        [
            sys.executable,
            *(program or ("-c", _UVLOOP if reactor == "uvloop" else _TWISTD)),
            *("-n", "--pidfile=", f"--logfile={log}"),
            *([f"--reactor={'asyncio' if reactor == 'uvloop' else reactor}"] if reactor else []),
            *(["--profiler=cprofile", f"--profile={profile}", "--savestats"] if profile else []),
            *("tlsdemo", f"--listen=tcp:0:interface=127.0.0.1:backlog={_BACKLOG}"),
            *(f"--status=unix:{status}", f"--backend=tcp:127.0.0.1:{setup.sink}"),
            *(f"--cert={own.certificate}", f"--key={own.key}", f"--ca={own.authority}"),
            f"--client-auth={'required' if setup.client_auth else 'none'}",
            f"--max-connections={2 * setup.connections + 64}",
            *options,
        ],
        cpus=setup.cpus,
        env=_environment(checkout),
        cwd=checkout,
    )
    try:
        port = _port_of(child, log)
    except BaseException:
        child.stop()
        raise
    found = versions()
    if reactor == "uvloop":
        found["uvloop"] = version("uvloop")
    return Running(child, port, found, _events(status))


def _port_of(child: Child, log: Path) -> int:
    deadline = time.monotonic() + _START_WITHIN
    while child.running and time.monotonic() < deadline:
        text = log.read_text(errors="replace") if log.exists() else ""
        if found := _LISTENING.search(text):
            return int(found[1])
        time.sleep(0.02)
    logged = log.read_text(errors="replace").strip().rpartition("\n")[2] if log.exists() else ""
    raise CannotMeasure(child.last_line or logged or "it does not listen")


def _events(status: Path) -> Callable[[], int | None]:
    def events() -> int | None:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30.0)
            client.connect(str(status))
            client.sendall(b'{"ask": "statistics"}\n')
            with client.makefile("rb") as answers:
                statistics = json.loads(answers.readline(1 << 16))["statistics"]
        return int(statistics["events"])

    return events
