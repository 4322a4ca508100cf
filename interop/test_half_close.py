"""Clients that send their request and then close_notify get the answer: gnutls-cli and Node."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from pathlib import Path

from interop.attempts import tried
from interop.peers import InteropCase, program
from tests.support import certificates

REQUEST = b"a request, ended by the end of the stream\n"
MODES = ("starttls", "pair", "wrapped")

NODE = r"""
const tls = require('tls'), fs = require('fs');
const [port, ca, cert, key] = process.argv.slice(1);
const [authority, certificate, secret] = [ca, cert, key].map((name) => fs.readFileSync(name));
const socket = tls.connect({
  port, host: '127.0.0.1', servername: 'localhost', allowHalfOpen: true,
  ca: authority, cert: certificate, key: secret,
}, () => socket.end('a request, ended by the end of the stream\n'));
socket.on('data', (data) => process.stdout.write(data));
socket.on('end', () => process.exit(0));
socket.on('error', (error) => { console.error(error); process.exit(1); });
"""


class _Answering(socketserver.StreamRequestHandler):
    """Answers when the client has finished, as a server does that reads to the end."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            request = self.rfile.read()
            self.wfile.write(b"%d bytes: " % len(request) + request)


class HalfClose(InteropCase):
    def backend(self) -> int:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Answering)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (server.server_close, thread.join, server.shutdown):
            self.addCleanup(cleanup)
        return int(server.server_address[1])

    def answers(self, mode: str, *options: str, role: str) -> int:
        """Start tlsdemo in a mode; return its port."""
        where = ("--role=echo",)
        if role == "proxy":
            where = (f"--backend=tcp:127.0.0.1:{self.backend()}",)
        self.running, port = self.tlsdemo_server(f"--mode={mode}", *where, *options)
        return port

    def gnutls(self, port: int) -> bytes:
        client = certificates().client
        return self.run_command(
            *(program("gnutls-cli", "gnutls-bin"), "--logfile=/dev/null", f"--port={port}"),
            f"--x509cafile={client.authority}",
            *(f"--x509certfile={client.certificate}", f"--x509keyfile={client.key}", "localhost"),
            stdin=REQUEST,
        )

    def node(self, port: int) -> bytes:
        client = certificates().client
        files: list[Path | None] = [client.authority, client.certificate, client.key]
        return self.run_command(program("node", "nodejs"), "-e", NODE, str(port), *map(str, files))

    def check(self, role: str, expected: bytes) -> None:
        for mode in MODES:
            for send in (self.gnutls, self.node):
                port = self.answers(mode, role=role)
                self.assertEqual(send(port), expected, (mode, send))
                self.assert_all_closed_cleanly(1)

    @tried("request, close_notify, then the answer of the backend", "gnutls-cli", "Node")
    def test_a_proxy_forwards_the_answer(self) -> None:
        self.check("proxy", b"%d bytes: " % len(REQUEST) + REQUEST)

    @tried("request, close_notify, then its echo", "gnutls-cli", "Node")
    def test_echo_answers_what_came_with_the_goodbye(self) -> None:
        self.check("echo", REQUEST)
