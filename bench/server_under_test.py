"""The server process that ``bench.faults`` attacks, and the plain backends behind it."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tlsdemo.net.child_process import environment

TIMEOUT = 30.0
"""Seconds that anything may take."""

# The server is run by twistd, with a handler of SIGUSR1 that frees unused memory: cyclic garbage
# that Python would collect later, and pages that the C library keeps for later use.
TWISTD = (
    sys.executable,
    "-c",
    """
import ctypes, gc, os, signal
def free(*_):
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    os.write(2, b"memory freed\\n")
signal.signal(signal.SIGUSR1, free)
from twisted.scripts.twistd import run; run()
""",
)

ECHO = r"""
import socket, threading
server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[1], flush=True)
def echo(peer):
    while data := peer.recv(65536): peer.sendall(data)
while True: threading.Thread(target=echo, args=(server.accept()[0],), daemon=True).start()
"""
FLOOD = r"""
import socket, threading
server = socket.create_server(("127.0.0.1", 0)); print(server.getsockname()[1], flush=True)
def flood(peer):
    block = bytes(65536); peer.recv(1)
    for _ in range(256 * 16): peer.sendall(block)
    peer.close()
while True: threading.Thread(target=flood, args=(server.accept()[0],), daemon=True).start()
"""


class NotRecovered(Exception):
    """Something did not recover; the text is one line that says what."""


class Server:
    """A server process, its use of resources, and connections to it."""

    def __init__(self, home: Path, *options: str, descriptors: int = 0) -> None:
        self._log_file = home / "log"
        self._certs = home / "certs"

        def limit() -> None:
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))

        with self._log_file.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(*TWISTD, "-n", "--pidfile=", "tlsdemo", f"--certs={self._certs}"),
                    *("--listen=tcp:0:interface=127.0.0.1", "--status=none", *options),
                ],
                env=environment(), stdout=log, stderr=log, preexec_fn=limit,
            )  # fmt: skip
        until(lambda: "listening on" in self.log, "the server does not start")
        found = re.search(r"listening on tcp:127\.0\.0\.1:(\d+)", self.log)
        assert found is not None
        self.address = ("127.0.0.1", int(found[1]))
        self.context = ssl.create_default_context(cafile=self._certs / "ecdsa" / "ca.pem")
        self.context.load_cert_chain(
            self._certs / "ecdsa" / "client.pem", self._certs / "ecdsa" / "client.key"
        )

    @property
    def log(self) -> str:
        """Everything that it has logged."""
        return self._log_file.read_text(errors="replace")

    @property
    def descriptors(self) -> int:
        """The number of its open file descriptors."""
        return len(os.listdir(f"/proc/{self._process.pid}/fd"))

    @property
    def memory(self) -> int:
        """The resident set size, in bytes."""
        pages = Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    @property
    def used(self) -> int:
        """The resident set size after unused memory has been freed, in bytes."""
        times = self.log.count("memory freed")
        self._process.send_signal(signal.SIGUSR1)
        until(
            lambda: self.log.count("memory freed") > times, "the server does not handle the signal"
        )
        return self.memory

    @property
    def cpu(self) -> float:
        """CPU seconds since the start."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self) -> socket.socket:
        """Connect."""
        return socket.create_connection(self.address, timeout=TIMEOUT)

    def secure(self, plain: socket.socket | None = None) -> ssl.SSLSocket:
        """Connect, unless ``plain`` is given, and do the handshake."""
        return self.context.wrap_socket(plain or self.connect(), server_hostname="localhost")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(TIMEOUT)
        finally:
            self._process.kill()


def until(true: Callable[[], bool], otherwise: str, timeout: float = TIMEOUT) -> None:
    """Wait until ``true()``; after ``timeout`` seconds raises NotRecovered with ``otherwise``."""
    end = time.monotonic() + timeout
    while not true():
        if time.monotonic() > end:
            raise NotRecovered(otherwise)
        time.sleep(0.02)


@contextlib.contextmanager
def backend(program: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a plain backend; yields its process, and the option that makes it the backend."""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process, f"--backend=tcp:127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()
            process.wait()


@contextlib.contextmanager
def serving(*options: str, descriptors: int = 0) -> Iterator[Server]:
    """Run a server; ``descriptors``: its limit of file descriptors, 0 for the usual one."""
    with tempfile.TemporaryDirectory() as home:
        server = Server(Path(home), *options, descriptors=descriptors)
        try:
            yield server
        finally:
            server.stop()
