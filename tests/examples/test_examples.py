"""The programs in docs/examples/, each run as its docstring says, against a foreign peer."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates, short_folder

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
LONGEST = 60
SECONDS = 20.0


class Program:
    """An example that runs."""

    def __init__(self, name: str, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=EXAMPLES.parents[1],
        )
        self._killer = threading.Timer(SECONDS, self.process.kill)
        self._killer.start()

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def port(self) -> int:
        line = self.line()
        found = re.fullmatch(r"listening on port (\d+)", line)
        assert found is not None, line
        return int(found[1])

    def rest(self) -> tuple[str, int]:
        """Return what it has printed until it ended, and its exit status."""
        output, _ = self.process.communicate()
        self._killer.cancel()
        return output, self.process.returncode

    def end(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
            self.rest()


@contextmanager
def running(name: str, *arguments: object) -> Iterator[Program]:
    program = Program(name, *arguments)
    try:
        yield program
    finally:
        program.end()


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates().authority))


def plain(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def secured(connection: socket.socket) -> ssl.SSLSocket:
    return client_context().wrap_socket(connection, server_hostname="localhost")


def files() -> tuple[object, object]:
    own = certificates().server
    return own.certificate, own.key


class ExampleTests(SynchronousTestCase):
    def test_every_example_is_short_has_a_test_and_is_in_the_index(self) -> None:
        index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
        tests = Path(__file__).read_text(encoding="utf-8")
        examples = sorted(EXAMPLES.glob("*.py"))
        self.assertGreaterEqual(len(examples), 7)
        for each in examples:
            self.assertIn(f'"{each.name}"', tests)
            self.assertIn(f"| [{each.name}]({each.name}) | ", index)
            self.assertLessEqual(len(each.read_text().splitlines()), LONGEST, each.name)

    def test_a_starttls_server_in_both_ways(self) -> None:
        for mode in ("pair", "starttls"):
            with running("starttls_server.py", *files(), 0, mode) as server:
                port = server.port()
                with plain(port) as connection:
                    self.assertEqual(connection.recv(99), b"220 server.example ESMTP\r\n")
                    connection.sendall(b"EHLO us\r\n")
                    self.assertIn(b"STARTTLS", connection.recv(99))
                    connection.sendall(b"STARTTLS\r\n")
                    self.assertEqual(connection.recv(99), b"220 ready to start TLS\r\n")
                    with secured(connection) as over_tls:
                        over_tls.sendall(b"hello\r\nEHLO us\r\n")
                        answer = b""
                        while not answer.endswith(b"HELP\r\n"):
                            answer += over_tls.recv(99)
                        self.assertTrue(answer.startswith(b"250 HELLO\r\n"))
                        self.assertNotIn(b"STARTTLS", answer)
                self.assertEqual(server.line(), "secure: TLSv1.3")
                with plain(port) as connection:
                    connection.sendall(b"STARTTLS\r\nMAIL FROM:<m@example.com>\r\n")
                    self.assertEqual(
                        server.line(),
                        "not secure: injected plaintext: 27 bytes arrived after the last "
                        "message before TLS",
                    )

    def test_a_starttls_client(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(SECONDS)
            port = listening.getsockname()[1]
            authority = certificates().authority
            client = Program("starttls_client.py", authority, "localhost", port, "hello", "world")
            connection, _ = listening.accept()
            connection.settimeout(SECONDS)
            with connection:
                for said, answer in ((b"", b"220 hi"), (b"EHLO", b"250-a\r\n250 b")):
                    self.assertTrue((connection.recv(99) if said else b"").startswith(said))
                    connection.sendall(answer + b"\r\n")
                self.assertEqual(connection.recv(99), b"STARTTLS\r\n")
                connection.sendall(b"220 go\r\n")
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(*files())  # type: ignore[arg-type]
                with context.wrap_socket(connection, server_side=True) as over_tls:
                    for line in (b"hello\r\n", b"world\r\n"):
                        self.assertEqual(over_tls.recv(99), line)
                        over_tls.sendall(b"250 " + line)
                    self.assertEqual(over_tls.recv(99), b"")
            self.assertEqual(client.rest(), ("secure: TLSv1.3\n250 hello\n250 world\n", 0))

    def test_the_client_ends_with_one_line_if_the_server_goes_away(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            listening.settimeout(SECONDS)
            port = listening.getsockname()[1]
            client = Program("starttls_client.py", certificates().authority, "localhost", port)
            listening.accept()[0].close()
            output, status = client.rest()
        self.assertRegex(output, r"\AConnection(Done|Lost): .*\n\Z")
        self.assertEqual(status, 1)

    def test_a_proxy_that_ends_tls(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as backend:
            backend.settimeout(SECONDS)
            backend_port = backend.getsockname()[1]
            arguments = (*files(), 0, "127.0.0.1", backend_port)
            with (
                running("tls_terminating_proxy.py", *arguments) as proxy,
                secured(plain(proxy.port())) as client,
            ):
                client.sendall(b"question")
                connection, _ = backend.accept()
                with connection:
                    connection.settimeout(SECONDS)
                    self.assertEqual(connection.recv(99), b"question")
                    connection.sendall(b"answer")
                    self.assertEqual(client.recv(99), b"answer")
                self.assertEqual(client.recv(99), b"")

    def test_tls_over_a_unix_socket(self) -> None:
        where = short_folder(self) / "echo.sock"
        example = Program("tls_over_unix_socket.py", where, *files(), certificates().authority)
        self.assertEqual(example.rest(), ("hello through a UNIX socket\n", 0))

    def test_tls_in_tls(self) -> None:
        output, status = Program("tls_in_tls.py", *files(), certificates().authority).rest()
        self.assertEqual(status, 0, output)
        *secure, received = output.splitlines()
        self.assertEqual(
            sorted(secure),
            [
                f"{end}, {side}: TLSv1.3"
                for end in ("client", "server")
                for side in ("inside", "outside")
            ],
        )
        self.assertEqual(received, "received: hello through two layers")

    def test_a_server_that_pins_its_own_events(self) -> None:
        folder = Path(self.mktemp()).resolve()
        shutil.copytree(EXAMPLES / "pins", folder / "pins")
        shutil.copy(EXAMPLES / "pinned_server.py", folder)
        done = subprocess.run(
            [sys.executable, "-m", "twisted.trial", "pinned_server"],
            cwd=folder, env={**os.environ, "PYTHONPATH": str(EXAMPLES.parents[1])},
            capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        self.assertIn("PASSED (successes=3)", done.stdout + done.stderr)

    def test_reload_and_drain(self) -> None:
        copies = Path(self.mktemp()).resolve()
        copies.mkdir()
        paths = [copies / "server.pem", copies / "server.key"]
        for source, path in zip(files(), paths, strict=True):
            path.write_bytes(Path(str(source)).read_bytes())
        with running("reload_and_drain.py", *paths, 0) as server:
            port = server.port()
            server.process.send_signal(signal.SIGHUP)
            self.assertEqual(server.line(), "reloaded")
            paths[1].unlink()
            server.process.send_signal(signal.SIGHUP)
            self.assertIn("still with the old certificate: ", server.line())
            with secured(plain(port)) as client:
                client.sendall(b"hello")
                self.assertEqual(client.recv(99), b"hello")
                server.process.send_signal(signal.SIGTERM)
                # close_notify, not just the end of the connection.
                self.assertEqual(client.recv(99), b"")
            self.assertEqual(server.rest(), ("ended; 0 connections cut\n", 0))
