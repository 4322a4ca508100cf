"""``twistd tlsdemo``: SIGHUP, and the certificates of a server that runs."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import TIMEOUT, ProcessCase, RunningCommand, port_of
from tests.support import certificates
from tests.tls.memory_ends import foreign_context
from tests.tls.named_certificates import issue, names_shown
from tlsdemo import tap
from tlsdemo.proxy.service import Server
from tlsdemo.tls import ServerTLS


class EchoClient:
    """A client of the standard library, on a socket, that echoes."""

    def __init__(
        self,
        where: str,
        version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        name: str = "localhost",
        before: EchoClient | None = None,
    ) -> None:
        context = foreign_context(ssl.PROTOCOL_TLS_CLIENT, None, version)
        context = before.socket.context if before else context
        plain = socket.create_connection(("127.0.0.1", port_of(where)), timeout=TIMEOUT)
        self.socket: ssl.SSLSocket = context.wrap_socket(
            plain, server_hostname=name, session=before.socket.session if before else None
        )

    @property
    def names(self) -> list[str]:
        return names_shown(self.socket.getpeercert())

    def echoes(self, data: bytes) -> bool:
        self.socket.sendall(data)
        return self.socket.recv(1 << 10) == data

    def close(self) -> None:
        self.socket.close()


class ReloadCase(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        self.files = issue(self.home, "server", "localhost", "old.example")

    def echo_server(self, *options: str) -> tuple[RunningCommand, str]:
        return self.server(
            *(f"--cert={self.files.certificate}", f"--key={self.files.key}"),
            *(f"--ca={self.files.authority}", "--role=echo", "--drain-timeout=0", *options),
        )

    def connect(
        self, where: str, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        name: str = "localhost", before: EchoClient | None = None,
    ) -> EchoClient:  # fmt: skip
        client = EchoClient(where, version, name, before)
        self.addCleanup(client.close)
        return client


class ReloadTests(ReloadCase):
    def test_new_connections_get_the_new_certificate_after_sighup_and_old_ones_continue(
        self,
    ) -> None:
        for mode in ("starttls", "wrapped"):
            server, where = self.echo_server(f"--mode={mode}")
            old = self.connect(where)
            issue(self.home, "server", "localhost", "new.example")
            self.assertEqual(self.connect(where).names[1], "old.example")
            server.signal(signal.SIGHUP)
            server.wait_for_line("certificates reloaded")
            new = self.connect(where)
            self.assertEqual(new.names[1], "new.example")
            self.assertTrue(new.echoes(b"new") and old.echoes(b"old"))
            self.summary(server)
            issue(self.home, "server", "localhost", "old.example")

    def test_a_bad_certificate_is_logged_and_the_old_one_is_kept(self) -> None:
        server, where = self.echo_server()
        old = self.connect(where)
        certificate = self.files.certificate
        assert certificate is not None
        certificate.write_text("nonsense")
        server.signal(signal.SIGHUP)
        line = server.wait_for_line("#warn.*not reloaded").string
        self.assertIn(
            f"the old ones are kept: certificate '{certificate}' holds no PEM certificate", line
        )
        new = self.connect(where)
        self.assertEqual(new.names[1], "old.example")
        self.assertTrue(new.echoes(b"new") and old.echoes(b"old"))
        issue(self.home, "server", "localhost", "mended.example")
        server.signal(signal.SIGHUP)
        server.wait_for_line("certificates reloaded")
        self.assertEqual(self.connect(where).names[1], "mended.example")

    def test_several_certificates_are_selected_by_name(self) -> None:
        more = issue(self.home, "more", "*.more.example")
        _, where = self.echo_server(f"--cert={more.certificate}", f"--key={more.key}")
        self.assertEqual(self.connect(where).names[0], "localhost")
        self.assertEqual(self.connect(where, name="a.more.example").names, ["*.more.example"])


class ResumptionTests(ReloadCase):
    def test_a_standard_library_client_resumes_its_session(self) -> None:
        _, where = self.echo_server()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            first = self.connect(where, version)
            self.assertTrue(first.echoes(b"hello"))
            again = self.connect(where, version, before=first)
            self.assertTrue(again.socket.session_reused)
            self.assertTrue(again.echoes(b"hello again"))

    def test_the_openssl_program_resumes_its_session(self) -> None:
        if shutil.which("openssl") is None:
            raise self.skipTest("there is no openssl program")
        _, where = self.echo_server()
        for version in ("-tls1_2", "-tls1_3"):
            path = self.home / version[1:]
            self.assertIn("\nNew, ", self.s_client(where, version, "-sess_out", path))
            self.assertIn("\nReused, ", self.s_client(where, version, "-sess_in", path))

    def s_client(self, where: str, version: str, session: str, path: Path) -> str:
        client = certificates().client
        process = subprocess.Popen(
            [
                *("openssl", "s_client", "-connect", f"127.0.0.1:{port_of(where)}", version),
                *("-CAfile", str(client.authority), "-verify_return_error"),
                *("-cert", str(client.certificate), "-key", str(client.key)),
                *("-servername", "localhost", session, str(path)),
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, bufsize=1,
        )  # fmt: skip
        self.addCleanup(process.wait, TIMEOUT)
        self.addCleanup(process.kill)
        assert process.stdin is not None and process.stdout is not None
        # What is echoed comes behind the tickets.
        process.stdin.write("echoed\n")
        said = ""
        for line in process.stdout:
            said += line
            if line.endswith("echoed\n"):
                break
        process.stdin.close()
        with process.stdout:
            return said + process.stdout.read()


class SignalTests(SynchronousTestCase):
    def test_the_previous_handler_is_restored_when_the_service_has_stopped(self) -> None:
        self.patch(Server, "startService", lambda _self: None)
        self.patch(Server, "listening", lambda _self: [])
        stopped: list[Deferred[None]] = [Deferred()]
        self.patch(Server, "stopService", lambda _self: stopped[0])
        options = tap.Options()
        options.parseOptions([f"--certs={certificates().authority.parent.parent}"])
        before = signal.getsignal(signal.SIGHUP)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        service = tap.makeService(options)
        service.startService()
        handler = signal.getsignal(signal.SIGHUP)
        self.assertNotEqual(handler, before)
        done = service.stopService()
        self.assertEqual(signal.getsignal(signal.SIGHUP), handler)
        stopped[0].callback(None)
        self.assertIsNone(self.successResultOf(done))
        self.assertEqual(signal.getsignal(signal.SIGHUP), before)

    def test_the_signal_is_handled_in_the_reactors_next_turn(self) -> None:
        turns: list[Callable[[], None]] = []
        self.patch(Server, "startService", lambda _self: None)
        self.patch(Server, "listening", lambda _self: [])
        self.patch(Server, "stopService", lambda _self: succeed(None))
        options = tap.Options()
        options.parseOptions([f"--certs={certificates().authority.parent.parent}"])
        service = tap.makeService(options)
        loads: list[object] = []
        self.patch(ServerTLS, "reload", lambda _self, now: loads.append(now))
        self.patch(service._reactor, "callFromThread", turns.append)  # type: ignore[attr-defined]
        service.startService()
        try:
            signal.raise_signal(signal.SIGHUP)
            self.assertEqual((len(turns), loads), (1, []))
            turns[0]()
            self.assertEqual(len(loads), 1)
        finally:
            service.stopService()
