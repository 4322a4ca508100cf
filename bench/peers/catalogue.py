"""The catalogue of peers: the proxies that are measured, and how each is started."""

from __future__ import annotations

import os
import re
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.task import deferLater

from bench.process import END_WITH_PARENT, CannotMeasure, NotInstalled, Program
from tlsdemo.certificates.files import Credentials
from tlsdemo.cli.launched_server import CannotLaunch, LaunchedServer, Place
from tlsdemo.loadgen.status_client import StatusClient
from tlsdemo.net.command import run_command
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import versions

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent

_TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()")

LISTEN_WITHIN = 10.0
"""Seconds until a proxy that does not report it has to accept connections."""


@dataclass(frozen=True)
class Setup:
    """What a proxy has to be configured with.

    ``sink``: the port of the plain backend.  ``connections``: how many there will be at most.
    ``home``: a directory for its files.
    """

    reactor: Any
    sink: int
    connections: int
    credentials: Credentials
    home: Path

    @property
    def pem(self) -> list[str]:
        """The paths of the certificate, the key and the CA certificate."""
        own = self.credentials
        return [str(own.certificate), str(own.key), str(own.authority)]


class Running(Protocol):
    """A proxy that runs.

    ``connect``: the client endpoint string that leads to it; ``versions``: of its components.
    """

    pid: int
    connect: str
    versions: dict[str, str]

    async def snapshot(self) -> Snapshot | None:
        """Return its own counters, None if it has none."""

    async def stop(self) -> None:
        """End it."""


Start = Callable[[Setup], Awaitable[Running]]


@dataclass(frozen=True)
class Peer:
    """One proxy.

    ``start`` raises CannotMeasure with the reason if it cannot be started.  ``baseline`` returns
    the same proxy of another checkout, where that is possible.
    """

    name: str
    about: str
    start: Start
    baseline: Callable[[Path], Peer] | None = None


# tlsdemo itself.


class _TlsdemoServer:
    """``twistd tlsdemo`` in one mode."""

    def __init__(self, reactor: Any, server: LaunchedServer) -> None:
        self._reactor = reactor
        self._server = server
        self.pid = server.pid
        self.connect = server.connect
        self.versions = versions()

    async def snapshot(self) -> Snapshot | None:
        status_client = StatusClient(self._reactor, self._server.status)
        try:
            return await status_client.snapshot()
        finally:
            status_client.close()

    async def stop(self) -> None:
        await self._server.stop()


def _tlsdemo(mode: str, delivery: str, checkout: Path) -> Start:
    async def start(setup: Setup) -> Running:
        certificate, key, authority = setup.pem
        server = LaunchedServer(
            setup.reactor,
            [
                *(f"--mode={mode}", f"--delivery={delivery}"),
                f"--backend=tcp:127.0.0.1:{setup.sink}",
                *(f"--cert={certificate}", f"--key={key}", f"--ca={authority}"),
            ],
            # Every checkout is started in the same manner, whatever its own modules are called.
            Place(
                variables={**os.environ, "PYTHONPATH": str(checkout)},
                twistd=(*END_WITH_PARENT[1:], *_TWISTD),
                cwd=checkout,
            ),
        )
        try:
            await server.start()
        except CannotLaunch as problem:
            raise CannotMeasure(str(problem)) from None
        return _TlsdemoServer(setup.reactor, server)

    return start


def tlsdemo_peer(name: str, about: str, mode: str, delivery: str) -> Peer:
    """Return the peer that is tlsdemo in ``mode``, with ``delivery``, in this checkout."""

    def baseline(checkout: Path) -> Peer:
        return Peer(baseline_of(name), f"{name} of {checkout}", _tlsdemo(mode, delivery, checkout))

    return Peer(name, about, _tlsdemo(mode, delivery, ROOT), baseline)


def baseline_of(name: str) -> str:
    """Return the name of the peer that is the baseline of the peer ``name``."""
    return f"{name} baseline"


def with_baselines(peers: Iterable[Peer], checkout: Path) -> Iterator[Peer]:
    """Put, before each peer that is tlsdemo, the same peer of another checkout."""
    for peer in peers:
        if peer.baseline is not None:
            yield peer.baseline(checkout)
        yield peer


# All others: programs of which no more is known than where they listen.


class _ForeignServer:
    def __init__(self, program: Program, port: int, versions: dict[str, str]) -> None:
        self._program = program
        self.pid = program.pid
        self.connect = f"tcp:127.0.0.1:{port}"
        self.versions = versions

    async def snapshot(self) -> Snapshot | None:
        return None

    async def stop(self) -> None:
        await self._program.stop()


def _script(*command: str) -> Start:
    """Start a program of this directory, which chooses its port and prints it."""

    async def start(setup: Setup) -> Running:
        program = Program(
            setup.reactor, [_which(command[0]), *command[1:], str(setup.sink), *setup.pem]
        )
        try:
            first = await program.line()
            if "unavailable" in first:
                raise NotInstalled(first["unavailable"])
        except BaseException:
            await program.stop()
            raise
        return _ForeignServer(program, first["port"], first["versions"])

    return start


def _configured(
    name: str, arguments: list[str], configure: Callable[[Setup, int], str], version: list[str]
) -> Start:
    """Start a program that reads a configuration file, and does not report when it listens."""

    async def start(setup: Setup) -> Running:
        executable = _which(name)
        port = _free_port()
        config_file = setup.home / f"{name}.conf"
        config_file.write_text(configure(setup, port))
        program = Program(setup.reactor, [executable, *arguments, str(config_file)])
        try:
            await _listening(setup.reactor, program, port)
        except BaseException:
            await program.stop()
            raise
        return _ForeignServer(program, port, _versions_of(executable, version))

    return start


def _which(name: str) -> str:
    executable = shutil.which(name)
    if executable is None:
        raise NotInstalled(f"there is no {name} on the PATH")
    return executable


def _free_port() -> int:
    # Another process may take it before the program does, which then fails with an error message.
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def _listening(reactor: Any, program: Program, port: int) -> None:
    endpoint = clientFromString(reactor, f"tcp:127.0.0.1:{port}:timeout=2")
    deadline = reactor.seconds() + LISTEN_WITHIN
    while program.running and reactor.seconds() < deadline:
        try:
            probe = await connectProtocol(endpoint, Connection())
        except Exception:
            # It is not listening yet.
            await deferLater(reactor, 0.05, lambda: None)
            continue
        assert probe.transport is not None
        probe.transport.loseConnection()
        return
    raise CannotMeasure(program.last_line or "it does not listen")


def _versions_of(executable: str, arguments: list[str]) -> dict[str, str]:
    text = run_command([executable, *arguments], timeout=10).output
    own = re.search(r"(?i)version:? (?:nginx/)?(\S+)", text)
    openssl = re.search(r"(?:Running on|running with|built with).*?OpenSSL (\d\S*)", text)
    found = {Path(executable).name: own, "OpenSSL": openssl}
    return {name: match[1] for name, match in found.items() if match}


def _nginx(setup: Setup, port: int) -> str:
    certificate, key, authority = setup.pem
    build = run_command([_which("nginx"), "-V"], timeout=10).output
    modules = re.search(r"--modules-path=(\S+)", build)
    dynamic = "--with-stream=dynamic" in build and modules
    return f"""
{f"load_module {modules[1]}/ngx_stream_module.so;" if dynamic and modules else ""}
daemon off;
master_process off;
pid {setup.home}/nginx.pid;
error_log stderr error;
events {{ worker_connections {2 * setup.connections + 64}; }}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl backlog=512;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        proxy_pass 127.0.0.1:{setup.sink};
    }}
}}
"""


def _haproxy(setup: Setup, port: int) -> str:
    certificate, key, authority = setup.pem
    both = setup.home / "haproxy.pem"
    both.touch(mode=0o600)
    both.write_text(Path(certificate).read_text() + Path(key).read_text())
    return f"""
global
    nbthread 1
    maxconn {setup.connections + 64}
    ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
    mode tcp
    timeout connect 10s
    timeout client 60s
    timeout server 60s
frontend tls
    bind 127.0.0.1:{port} backlog 512 ssl crt {both} ca-file {authority} verify required
    default_backend sink
backend sink
    server sink 127.0.0.1:{setup.sink}
"""


REFERENCE = "node-tlssocket"
"""The peer that the others are compared with: the proxy of the original demonstration."""

PEERS = {
    peer.name: peer
    for peer in (
        tlsdemo_peer("starttls", "tlsdemo, mode starttls", "starttls", "record"),
        tlsdemo_peer("starttls-coalesced", "the same, delivery coalesced", "starttls", "coalesced"),
        tlsdemo_peer("starttls-readable", "the same, delivery readable", "starttls", "readable"),
        tlsdemo_peer("pair", "tlsdemo, mode pair", "pair", "coalesced"),
        tlsdemo_peer("pair-record", "the same, delivery record", "pair", "record"),
        tlsdemo_peer("pair-readable", "the same, delivery readable", "pair", "readable"),
        tlsdemo_peer("wrapped", "tlsdemo, mode wrapped", "wrapped", "record"),
        Peer(
            "twisted-stock",
            "Twisted's port forwarder with startTLS",
            _script(sys.executable, "-m", "bench.peers.twisted_stock"),
        ),
        Peer(
            REFERENCE,
            "the original's proxy, with new tls.TLSSocket()",
            _script("node", str(HERE / "node_proxy.js"), "tlssocket"),
        ),
        Peer(
            "node-securepair",
            "the original's proxy, with tls.createSecurePair()",
            _script("node", str(HERE / "node_proxy.js"), "securepair"),
        ),
        Peer(
            "asyncio",
            "the standard library: loop.start_tls()",
            _script(sys.executable, "-m", "bench.peers.asyncio_proxy"),
        ),
        Peer(
            "nginx",
            "its stream module, one process, TLS from the first byte",
            _configured("nginx", ["-e", "stderr", "-c"], _nginx, ["-V"]),
        ),
        Peer(
            "haproxy",
            "mode tcp, one thread, TLS from the first byte",
            _configured("haproxy", ["-db", "-f"], _haproxy, ["-vv"]),
        ),
    )
}
"""By name, in the order in which they are measured."""
