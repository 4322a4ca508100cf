"""Half-closed connections: each direction ends by itself, with gnutls-cli, Node and s_client."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from pathlib import Path
from typing import ClassVar

from interop.attempts import tried
from interop.peers import InteropCase, program
from tests.support import certificates

REQUEST = b"a request, ended by the end of the stream\n"
ANSWER = b"%d bytes: " % len(REQUEST) + REQUEST
MODES = ("starttls", "pair", "wrapped")
DELIVERIES = ("record", "coalesced")

NODE = r"""
const tls = require('tls'), net = require('net'), fs = require('fs');
const [mode, first, port, ca, cert, key] = process.argv.slice(1);
const [authority, certificate, secret] = [ca, cert, key].map((name) => fs.readFileSync(name));
const request = 'a request, ended by the end of the stream\n';
const socket = mode === 'clear'
  ? net.connect({port, host: '127.0.0.1', allowHalfOpen: true})
  : tls.connect({
    port, host: '127.0.0.1', servername: 'localhost', allowHalfOpen: true,
    ca: authority, cert: certificate, key: secret,
  });
socket.on('data', (data) => process.stdout.write(data));
socket.on('error', (error) => { console.error(error); process.exit(1); });
socket.on('close', () => process.exit(0));
if (first === 'client') {
  socket.once(mode === 'clear' ? 'connect' : 'secureConnect', () => socket.end(request));
} else {
  // The backend finishes first; this side goes on in two steps.
  socket.on('end', () => {
    socket.write(request);
    setTimeout(() => socket.end(request), 50);
  });
}
"""


class _Answering(socketserver.StreamRequestHandler):
    """Answers when the client has finished, as a server does that reads to the end."""

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            request = self.rfile.read()
            self.wfile.write(b"%d bytes: " % len(request) + request)


class _Finishing(socketserver.StreamRequestHandler):
    """Says all it has to say, finishes, and reads to the end."""

    received: ClassVar[list[bytes]]

    def handle(self) -> None:
        self.wfile.write(b"all there is")
        self.connection.shutdown(socket.SHUT_WR)
        self.received.append(self.rfile.read())


class HalfClose(InteropCase):
    def backend(self, handler: type[socketserver.StreamRequestHandler]) -> int:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (server.server_close, thread.join, server.shutdown):
            self.addCleanup(cleanup)
        return int(server.server_address[1])

    def serve(self, mode: str, role: str, *options: str) -> int:
        """Start tlsdemo in a mode; return its port."""
        where = f"--role={role}"
        if role == "proxy":
            where = f"--backend=tcp:127.0.0.1:{self.backend(_Answering)}"
        self.running, port = self.tlsdemo_server(f"--mode={mode}", where, *options)
        return port

    def gnutls(self, port: int) -> bytes:
        client = certificates().client
        return self.run_command(
            *(program("gnutls-cli", "gnutls-bin"), "--logfile=/dev/null", f"--port={port}"),
            f"--x509cafile={client.authority}",
            *(f"--x509certfile={client.certificate}", f"--x509keyfile={client.key}", "localhost"),
            stdin=REQUEST,
        )

    def openssl(self, port: int) -> bytes:
        client = certificates().client
        return self.run_command(
            *(program("openssl", "openssl"), "s_client", "-quiet", "-no_ign_eof"),
            *("-connect", f"127.0.0.1:{port}", "-CAfile", str(client.authority)),
            *("-cert", str(client.certificate), "-key", str(client.key)),
            stdin=REQUEST,
        )

    def node(self, port: int, mode: str = "pair", first: str = "client") -> bytes:
        client = certificates().client
        files: list[Path | None] = [client.authority, client.certificate, client.key]
        given = [mode, first, str(port), *map(str, files)]
        return self.run_command(program("node", "nodejs"), "-e", NODE, *given)

    def check(self, role: str, expected: bytes) -> None:
        for mode in MODES:
            for delivery in DELIVERIES:
                port = self.serve(mode, role, f"--delivery={delivery}")
                for send in (self.gnutls, self.node):
                    self.assertEqual(send(port), expected, (mode, delivery, send))
                self.assert_all_closed_cleanly(2)

    @tried("request, close_notify, then the answer of the backend", "gnutls-cli", "Node")
    def test_a_proxy_forwards_the_answer(self) -> None:
        self.check("proxy", ANSWER)

    @tried("request, close_notify, then its echo", "gnutls-cli", "Node")
    def test_echo_answers_what_came_with_the_goodbye(self) -> None:
        self.check("echo", REQUEST)

    @tried("request, close_notify, then close_notify of the sink", "gnutls-cli", "Node")
    def test_a_sink_says_goodbye(self) -> None:
        self.check("sink", b"")

    @tried("request, FIN, then the answer of the backend", "Node")
    def test_a_proxy_in_mode_clear_forwards_the_answer(self) -> None:
        port = self.serve("clear", "proxy")
        self.assertEqual(self.node(port, "clear"), ANSWER)
        self.assertIn("1 connections, 0 secured, 1 ended in order", self.summary(self.running))

    @tried("request, close_notify and FIN, without waiting for the answer", "openssl s_client")
    def test_a_client_that_does_not_wait_for_the_answer_ends_in_order(self) -> None:
        for mode in MODES:
            for role in ("proxy", "echo", "sink"):
                self.openssl(self.serve(mode, role))
                self.assert_all_closed_cleanly(1)

    @tried("the backend finishes, and the client goes on sending", "Node")
    def test_a_client_goes_on_after_the_backend_has_finished(self) -> None:
        for mode in (*MODES, "clear"):
            _Finishing.received = []
            where = f"--backend=tcp:127.0.0.1:{self.backend(_Finishing)}"
            self.running, port = self.tlsdemo_server(f"--mode={mode}", where)
            self.assertEqual(self.node(port, mode, "backend"), b"all there is")
            self.assertIn("1 ended in order, failed 0", self.summary(self.running))
            self.assertEqual(_Finishing.received, [REQUEST * 2], mode)
