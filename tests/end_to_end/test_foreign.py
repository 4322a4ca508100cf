"""Foreign clients and a foreign sink, with the proxy between them."""

from __future__ import annotations

import queue
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.end_to_end.processes import TIMEOUT, ProcessCase, port_of
from tests.support import certificates

NODE_CLIENTS = """
const fs = require('fs'), net = require('net'), tls = require('tls');
const [port, cert, key, ca, count] = process.argv.slice(1);
const files = {cert: fs.readFileSync(cert), key: fs.readFileSync(key), ca: fs.readFileSync(ca)};
for (let number = 0; number < Number(count); number++) {
  const socket = net.connect(Number(port), '127.0.0.1');
  const client = tls.connect({socket, servername: 'localhost', ...files}, () => {
    for (let packet = 0; packet < 100; packet++) client.write(`client ${number};`);
    client.end();
  });
  client.on('error', (error) => { console.error(error.message); process.exitCode = 1; });
}
"""


class Sink(socketserver.ThreadingTCPServer):
    """A plain sink; ``taken`` has the bytes of each connection that has ended."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        self.taken: queue.Queue[bytes | OSError] = queue.Queue()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def endpoint(self) -> str:
        return f"tcp:127.0.0.1:{self.server_address[1]}"

    def take(self, count: int) -> list[bytes]:
        taken = [self.taken.get(timeout=TIMEOUT) for _ in range(count)]
        assert self.taken.empty()
        for each in taken:
            if isinstance(each, OSError):
                raise each
        return sorted(each for each in taken if isinstance(each, bytes))


class Handler(socketserver.BaseRequestHandler):
    server: Sink

    def handle(self) -> None:
        chunks = []
        try:
            while chunk := self.request.recv(1 << 16):
                chunks.append(chunk)
        except OSError as error:
            self.server.taken.put(error)
        else:
            self.server.taken.put(b"".join(chunks))


class ForeignCase(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.sink = Sink()
        thread = threading.Thread(target=self.sink.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (self.sink.server_close, thread.join, self.sink.shutdown):
            self.addCleanup(cleanup)

    def proxy(self, mode: str) -> int:
        self.running, where = self.server(f"--mode={mode}", f"--backend={self.sink.endpoint}")
        return port_of(where)

    def assert_all_closed_cleanly(self, count: int) -> None:
        self.assertIn(
            f"summary: {count} connections, {count} secured, {count} ended in order, failed 0",
            self.summary(self.running),
        )


class OpenSSL(ForeignCase):
    if shutil.which("openssl") is None:
        skip = "there is no openssl on the PATH; install OpenSSL's command line program"

    # Digits only: s_client would take some letters at the beginning of a line for commands.
    payload = b"".join(b"%07d\n" % number for number in range(25_000))

    def check_payload(self, port: int, version: str) -> None:
        client = certificates().client
        process = subprocess.run(
            [
                *("openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-quiet"),
                *("-no_ign_eof", "-verify_return_error", "-CAfile", str(client.authority)),
                *("-verify_hostname", "localhost", "-servername", "localhost"),
                *("-cert", str(client.certificate), "-key", str(client.key)),
            ],
            input=self.payload, capture_output=True, timeout=TIMEOUT,
        )  # fmt: skip
        self.assertEqual(process.returncode, 0, process.stderr)
        self.assertEqual(self.sink.take(1), [self.payload])

    def check_mode(self, mode: str) -> None:
        port = self.proxy(mode)
        for version, name in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            self.check_payload(port, version)
            self.running.wait_for_line(f" secure agreed=.*{name}")
        self.assert_all_closed_cleanly(2)

    def test_s_client_works_with_mode_starttls(self) -> None:
        self.check_mode("starttls")

    def test_s_client_works_with_mode_pair(self) -> None:
        self.check_mode("pair")


class Python(ForeignCase):
    def test_a_hundred_clients_of_the_standard_library_are_proxied_at_once(self) -> None:
        port = self.proxy("starttls")
        client: Any = certificates().client
        context = ssl.create_default_context(cafile=client.authority)
        context.load_cert_chain(client.certificate, client.key)
        together = threading.Barrier(100, timeout=TIMEOUT)
        payloads = [b"client %d;" % number * 1000 for number in range(100)]

        def send(payload: bytes) -> bytes:
            plain = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                together.wait()
                secured.sendall(payload)
                with secured.unwrap() as rest:  # waits for the proxy's close_notify
                    return rest.recv(1)

        with ThreadPoolExecutor(100) as pool:
            self.assertEqual(list(pool.map(send, payloads)), [b""] * 100)
        self.assertEqual(self.sink.take(100), sorted(payloads))
        self.assert_all_closed_cleanly(100)


class Node(ForeignCase):
    if shutil.which("node") is None:
        skip = "there is no node on the PATH; install Node.js to have its clients tried"

    def test_a_hundred_node_clients_are_proxied_at_once(self) -> None:
        port = self.proxy("pair")
        client = certificates().client
        files = [str(path) for path in (client.certificate, client.key, client.authority)]
        process = subprocess.run(
            ["node", "-e", NODE_CLIENTS, str(port), *files, "100"],
            capture_output=True, text=True, timeout=TIMEOUT,
        )  # fmt: skip
        self.assertEqual((process.returncode, process.stderr), (0, ""))
        payloads = [b"client %d;" % number * 100 for number in range(100)]
        self.assertEqual(self.sink.take(100), sorted(payloads))
        self.assert_all_closed_cleanly(100)
