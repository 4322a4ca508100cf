"""Common parts of the suite: programs that may be missing, servers, and commands."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import SkipTest

from interop.attempts import Part
from interop.catalogue import NODE_MODULES, find_program
from tests.end_to_end.processes import TIMEOUT, ProcessCase, RunningCommand, port_of
from tests.support import certificates

NOBODY = "nobody"
NOGROUP = "nogroup"


def program(name: str, package: str) -> str:
    """Return the path of a program; skips the test if it is missing."""
    path = find_program(name)
    if path is None:
        raise SkipTest(f"there is no {name}: apt-get install {package}")
    return path


def module(name: str, package: str) -> Any:
    """Return a module; skips the test if it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise SkipTest(f"there is no module {name} ({problem}): pip install {package}") from None


def node_package(name: str) -> str:
    """Return the path of Node; skips the test if it or a package from npm is missing."""
    if not (NODE_MODULES / name).is_dir():
        raise SkipTest(f"there is no {name}: npm install --prefix interop")
    return program("node", "nodejs npm")


def free_port() -> int:
    """Return a free port, for servers that cannot listen on port 0."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def await_port(port: int) -> None:
    """Wait until something listens on ``port``."""
    end = time.monotonic() + TIMEOUT
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT).close()
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def client_context() -> ssl.SSLContext:
    """Return a context of the standard library that verifies, and presents a certificate."""
    client: Any = certificates().client
    context = ssl.create_default_context(cafile=client.authority)
    context.load_cert_chain(client.certificate, client.key)
    return context


class InteropCase(ProcessCase):
    """Starts tlsdemo, foreign servers, and foreign clients; ``parts`` has tlsdemo's part in it."""

    def setUp(self) -> None:
        super().setUp()
        self.parts: list[Part] = []

    def note(self, role: str, *options: str, dialect: str = "immediate") -> None:
        """Note how tlsdemo is started, for the page."""
        given = dict(option.removeprefix("--").partition("=")[::2] for option in options)
        mode = given.get("mode", "starttls")
        self.parts.append(Part(role, given.get("dialect", dialect), mode))

    def tlsdemo_server(self, *options: str) -> tuple[RunningCommand, int]:
        """Start tlsdemo; return it with its port."""
        is_proxy = any(option.startswith("--backend=") for option in options)
        self.note("proxy" if is_proxy else "server", *options)
        server, where = self.server("--log-first=1000", *options)
        return server, port_of(where)

    def proxy(self, dialect: str, backend: int, *options: str) -> int:
        """Start tlsdemo as a proxy before a plain backend; return its port."""
        where = f"--backend=tcp:127.0.0.1:{backend}"
        self.running, port = self.tlsdemo_server(f"--dialect={dialect}", where, *options)
        return port

    def assert_all_closed_cleanly(self, count: int) -> None:
        """Stop the proxy; fail unless it had ``count`` connections, all closed cleanly."""
        summary = self.summary(self.running)
        expected = f"{count} connections, {count} secured, {count} ended in order, failed 0"
        self.assertIn(f"summary: {expected}", summary)

    def assert_all_served(self, count: int) -> None:
        """Stop the proxy; fail unless it had ``count`` connections, and none failed.

        This is for clients, such as Python's, that send no ``close_notify``, which counts as
        truncated.
        """
        summary = self.summary(self.running)
        self.assertIn(f"summary: {count} connections, {count} secured, ", summary)
        self.assertRegex(summary, rf"{count} ended in order, failed 0|\(truncated {count}\)")

    def folder(self) -> Path:
        """Make a directory that belongs to the unprivileged user that servers run as."""
        path = Path(tempfile.mkdtemp(prefix="tlsdemo-interop-"))
        self.addCleanup(shutil.rmtree, path, ignore_errors=True)
        self.chown(path)
        return path

    def chown(self, path: Path) -> Path:
        """Give ``path`` to the unprivileged user that servers run as."""
        if os.geteuid() == 0:
            shutil.chown(path, NOBODY, NOGROUP)
        return path

    def copy_certificate(self, folder: Path) -> None:
        """Copy our CA, the server's certificate and its key, for the unprivileged user."""
        server: Any = certificates().server
        files = {"ca": server.authority, "cert": server.certificate, "key": server.key}
        for name, source in files.items():
            copy = folder / name
            copy.write_bytes(source.read_bytes())
            copy.chmod(0o600)
            self.chown(copy)

    def daemon(self, *arguments: str, stop_by: int = signal.SIGINT) -> RunningCommand:
        """Start a foreign server, which gets a signal when the test is over, before it is killed.

        It can then stop its own child processes, and remove shared memory.
        """
        running = self.start(*arguments)

        def stop() -> None:
            running.signal(stop_by)
            running.wait()

        self.addCleanup(stop)
        return running

    def unprivileged(self) -> list[str]:
        """Return the beginning of a command that runs it as an unprivileged user."""
        if os.geteuid() != 0:
            return []
        setpriv = program("setpriv", "util-linux")
        return [setpriv, f"--reuid={NOBODY}", f"--regid={NOGROUP}", "--clear-groups"]

    def run_command(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> bytes:
        """Run a foreign command; return its output, or fail if its status is not 0."""
        done = self.run_unchecked(*arguments, stdin=stdin, env=env)
        self.assertEqual(done.returncode, 0, (done.stdout, done.stderr))
        return done.stdout

    def run_unchecked(
        self, *arguments: str, stdin: bytes | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a foreign command, whatever its status is."""
        return subprocess.run(
            arguments, input=stdin or b"", capture_output=True, timeout=TIMEOUT, cwd=self.home,
            env={**os.environ, **(env or {})},
        )  # fmt: skip


class ScriptedServer(socketserver.ThreadingTCPServer):
    """A plain server that sends a greeting, and answers each line by its first word."""

    daemon_threads = True

    def __init__(self, greeting: bytes, answers: Mapping[bytes, bytes], otherwise: bytes) -> None:
        self.greeting = greeting
        self.answers = answers
        self.otherwise = otherwise
        self.received: list[bytes] = []
        super().__init__(("127.0.0.1", 0), _Scripted)

    @classmethod
    def start(
        cls, case: InteropCase, greeting: bytes, answers: Mapping[bytes, bytes], otherwise: bytes
    ) -> tuple[ScriptedServer, int]:
        """Run a server until the test is over; return it with its port."""
        server = cls(greeting, answers, otherwise)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (server.server_close, thread.join, server.shutdown):
            case.addCleanup(cleanup)
        return server, int(server.server_address[1])


class _Scripted(socketserver.StreamRequestHandler):
    server: ScriptedServer

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.wfile.write(self.server.greeting)
            while line := self.rfile.readline():
                self.server.received.append(line)
                verb = line.split()[0].upper() if line.split() else b""
                self.wfile.write(self.server.answers.get(verb, self.server.otherwise))
                if verb == b"QUIT":
                    return
