"""The catalogue of peers: what each is, and how it is started, as data."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from twisted.internet.endpoints import clientFromString, connectProtocol
from twisted.internet.protocol import Protocol as Connection
from twisted.internet.task import deferLater

from bench.process import CannotMeasure, NotHere, Program
from tlsdemo.certificates.files import Credentials
from tlsdemo.cli.launched_server import CannotLaunch, LaunchedServer
from tlsdemo.loadgen.status_client import connect_status_client
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import versions

HERE = Path(__file__).resolve().parent

LISTEN_WITHIN = 10.0
"""Seconds that a proxy may take until it accepts connections, where it does not say so."""


@dataclass(frozen=True)
class Place:
    """Where a proxy is to work: with up to ``connections``, and files of its own in ``home``.

    ``sink``: the port of the plain backend.
    """

    reactor: Any
    sink: int
    connections: int
    credentials: Credentials
    home: Path

    @property
    def pem(self) -> list[str]:
        """The files of certificate, key and authority, as our own peers take them."""
        own = self.credentials
        return [str(own.certificate), str(own.key), str(own.authority)]


class Running(Protocol):
    """A proxy that runs.

    ``connect``: the client endpoint string that leads to it; ``versions``: of what it is made of.
    """

    pid: int
    connect: str
    versions: dict[str, str]

    async def snapshot(self) -> Snapshot | None:
        """Return what it has counted itself, ``None`` if it does not count."""

    async def stop(self) -> None:
        """End it."""


@dataclass(frozen=True)
class Peer:
    """One proxy.  ``start`` raises CannotMeasure with the reason if it cannot be had here."""

    name: str
    about: str
    start: Callable[[Place], Awaitable[Running]]


# tlsdemo's own.


class _OurServer:
    """``twistd tlsdemo`` in one mode."""

    def __init__(self, reactor: Any, server: LaunchedServer) -> None:
        self._reactor = reactor
        self._server = server
        self.pid = server.pid
        self.connect = server.connect
        self.versions = versions()

    async def snapshot(self) -> Snapshot | None:
        status_client = await connect_status_client(self._reactor, self._server.status)
        try:
            return await status_client.snapshot()
        finally:
            status_client.close()

    async def stop(self) -> None:
        await self._server.stop()


def _ours(mode: str, delivery: str) -> Callable[[Place], Awaitable[Running]]:
    async def start(place: Place) -> Running:
        certificate, key, authority = place.pem
        server = LaunchedServer(
            place.reactor,
            [
                *(f"--mode={mode}", f"--delivery={delivery}"),
                f"--backend=tcp:127.0.0.1:{place.sink}",
                *(f"--cert={certificate}", f"--key={key}", f"--ca={authority}"),
            ],
        )
        try:
            await server.start()
        except CannotLaunch as problem:
            raise CannotMeasure(str(problem)) from None
        return _OurServer(place.reactor, server)

    return start


# All others: programs of which we know no more than where they listen.


class _Foreign:
    def __init__(self, program: Program, port: int, versions: dict[str, str]) -> None:
        self._program = program
        self.pid = program.pid
        self.connect = f"tcp:127.0.0.1:{port}"
        self.versions = versions

    async def snapshot(self) -> Snapshot | None:
        return None

    async def stop(self) -> None:
        await self._program.stop()


def _script(*command: str) -> Callable[[Place], Awaitable[Running]]:
    """Start a peer of this folder, which chooses its port and says it, or why it cannot."""

    async def start(place: Place) -> Running:
        program = Program(
            place.reactor, [_found(command[0]), *command[1:], str(place.sink), *place.pem]
        )
        try:
            said = await program.line()
            if "unavailable" in said:
                raise NotHere(said["unavailable"])
        except BaseException:
            await program.stop()
            raise
        return _Foreign(program, said["port"], said["versions"])

    return start


def _configured(
    name: str, arguments: list[str], configure: Callable[[Place, int], str], version: list[str]
) -> Callable[[Place], Awaitable[Running]]:
    """Start a program that reads a file of settings, and tells nobody when it listens."""

    async def start(place: Place) -> Running:
        executable = _found(name)
        port = _free_port()
        settings = place.home / f"{name}.conf"
        settings.write_text(configure(place, port))
        program = Program(place.reactor, [executable, *arguments, str(settings)])
        try:
            await _listening(place.reactor, program, port)
        except BaseException:
            await program.stop()
            raise
        return _Foreign(program, port, _versions_of(executable, version))

    return start


def _found(name: str) -> str:
    executable = shutil.which(name)
    if executable is None:
        raise NotHere(f"there is no {name} on the PATH")
    return executable


def _free_port() -> int:
    # Somebody else may take it before the program does; it then does not start, and says so.
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
            # It does not listen yet.
            await deferLater(reactor, 0.05, lambda: None)
            continue
        assert probe.transport is not None
        probe.transport.loseConnection()
        return
    raise CannotMeasure(program.said or "it does not listen")


def _versions_of(executable: str, arguments: list[str]) -> dict[str, str]:
    told = subprocess.run(
        [executable, *arguments], capture_output=True, text=True, timeout=10, check=False
    )
    text = told.stdout + told.stderr
    own = re.search(r"(?i)version:? (?:nginx/)?(\S+)", text)
    openssl = re.search(r"(?:Running on|running with|built with).*?OpenSSL (\d\S*)", text)
    found = {Path(executable).name: own, "OpenSSL": openssl}
    return {name: match[1] for name, match in found.items() if match}


def _nginx(place: Place, port: int) -> str:
    certificate, key, authority = place.pem
    told = subprocess.run(
        [_found("nginx"), "-V"], capture_output=True, text=True, timeout=10, check=False
    ).stderr
    modules = re.search(r"--modules-path=(\S+)", told)
    dynamic = "--with-stream=dynamic" in told and modules
    return f"""
{f"load_module {modules[1]}/ngx_stream_module.so;" if dynamic and modules else ""}
daemon off;
master_process off;
pid {place.home}/nginx.pid;
error_log stderr error;
events {{ worker_connections {2 * place.connections + 64}; }}
stream {{
    server {{
        listen 127.0.0.1:{port} ssl backlog=512;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_client_certificate {authority};
        ssl_verify_client on;
        ssl_protocols TLSv1.2 TLSv1.3;
        proxy_pass 127.0.0.1:{place.sink};
    }}
}}
"""


def _haproxy(place: Place, port: int) -> str:
    certificate, key, authority = place.pem
    both = place.home / "haproxy.pem"
    both.touch(mode=0o600)
    both.write_text(Path(certificate).read_text() + Path(key).read_text())
    return f"""
global
    nbthread 1
    maxconn {place.connections + 64}
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
    server sink 127.0.0.1:{place.sink}
"""


REFERENCE = "node-tlssocket"
"""The peer that all are compared with: the proxy of the original demonstration."""

STACKS = {
    peer.name: peer
    for peer in (
        Peer("starttls", "tlsdemo, mode starttls", _ours("starttls", "record")),
        Peer("starttls-coalesced", "the same, delivery coalesced", _ours("starttls", "coalesced")),
        Peer("starttls-readable", "the same, delivery readable", _ours("starttls", "readable")),
        Peer("pair", "tlsdemo, mode pair", _ours("pair", "coalesced")),
        Peer("pair-record", "the same, delivery record", _ours("pair", "record")),
        Peer("pair-readable", "the same, delivery readable", _ours("pair", "readable")),
        Peer("wrapped", "tlsdemo, mode wrapped", _ours("wrapped", "record")),
        Peer(
            "twisted-stock",
            "Twisted's port forwarder with startTLS",
            _script(sys.executable, "-m", "bench.peers.twisted_stock"),
        ),
        Peer(
            REFERENCE,
            "the original's proxy, its new way: new tls.TLSSocket()",
            _script("node", str(HERE / "node_proxy.js"), "tlssocket"),
        ),
        Peer(
            "node-securepair",
            "the original's proxy, its old way: tls.createSecurePair()",
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
