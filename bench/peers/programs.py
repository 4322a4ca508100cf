"""Peers that are programs of others: how one is started, and how it tells its version."""

from __future__ import annotations

import re
import shutil
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.child import CannotMeasure, Child, NotInstalled
from bench.peers.setup import Running, Setup
from tlsdemo.net.command import run_command

LISTEN_WITHIN = 10.0
"""Seconds until a proxy that does not report it has to accept connections."""

Start = Callable[[Setup], Running]


def find_program(name: str) -> str:
    """Return the path of a program; raises NotInstalled."""
    # Debian has its servers where only root's PATH leads.
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise NotInstalled(f"there is no program {name}")
    return found


def script(*command: str) -> Start:
    """Return what starts a program that chooses its port, and prints it with its versions."""

    def start(setup: Setup) -> Running:
        program = find_program(command[0])
        child = Child([program, *command[1:], *setup.arguments], setup.cpus)
        try:
            first = child.line()
            if "unavailable" in first:
                raise NotInstalled(first["unavailable"])
        except BaseException:
            child.stop()
            raise
        return Running(child, first["port"], first["versions"])

    return start


def python(module: str, *arguments: str) -> Start:
    """Return what starts a module of ours in the same way."""
    return script(sys.executable, "-m", module, *arguments)


def configured(
    name: str,
    arguments: Sequence[str],
    configure: Callable[[Setup, int], str],
    version: str,
) -> Start:
    """Return what starts a program that reads a file and does not report when it listens.

    ``configure`` is called with the setup and a free port, and returns the text of the file;
    ``version`` is the option with which the program prints its version.
    """

    def start(setup: Setup) -> Running:
        program = find_program(name)
        port = _free_port()
        config_file = setup.home / f"{name}.conf"
        config_file.write_text(configure(setup, port))
        child = Child([program, *arguments, str(config_file)], setup.cpus)
        try:
            _wait_until_it_listens(child, port)
        except BaseException:
            child.stop()
            raise
        return Running(child, port, versions_in(name, program_output(program, version)))

    return start


def program_output(program: str, option: str) -> str:
    """Return what a program prints with an option that makes it print and exit."""
    return run_command([program, option], timeout=10).output


def versions_in(name: str, text: str) -> dict[str, str]:
    """Find in ``text``, a program's own description, its version and that of its OpenSSL."""
    own = re.search(rf"(?i)\b(?:{name}[/ ]|version:? )(?:{name}/)?(\d\S*)", text)
    # What it runs with may be newer than what it was built with.
    running = re.search(r"(?i)\brunning +(?:on|with) OpenSSL (?:version : OpenSSL )?(\d\S*)", text)
    openssl = running or re.search(r"(?i)\bbuilt with OpenSSL (\d\S*)", text)
    return {key: match[1] for key, match in {name: own, "OpenSSL": openssl}.items() if match}


def module_path(build: str) -> Path | None:
    """Return the file of nginx's stream module, None if it is built in; ``build``: ``nginx -V``."""
    modules = re.search(r"--modules-path=(\S+)", build)
    if "--with-stream=dynamic" not in build or modules is None:
        return None
    return Path(modules[1]) / "ngx_stream_module.so"


def _free_port() -> int:
    # Another process may take it before the program does, which then fails with an error message.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_listens(child: Child, port: int) -> None:
    deadline = time.monotonic() + LISTEN_WITHIN
    while child.running and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=2.0).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise CannotMeasure(child.last_line or "it does not listen")
