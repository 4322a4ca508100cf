"""The units of packaging/systemd/, and a server that is started as they say."""

from __future__ import annotations

import configparser
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.end_to_end.processes import TIMEOUT, TWISTD, ProcessCase, RunningCommand
from tests.test_architecture import ROOT
from tests.test_tap_reload import EchoClient
from tlsdemo import tap

UNITS = ROOT / "packaging" / "systemd"


def unit(name: str) -> configparser.ConfigParser:
    text = (UNITS / name).read_text().replace("\\\n", " ")
    # An assignment may be there twice: its values add up.
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters="=")
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser


def arguments() -> list[str]:
    """The command line of the service, without the program."""
    return shlex.split(unit("tlsdemo.service")["Service"]["ExecStart"])[1:]


class Units(SynchronousTestCase):
    def test_the_service_listens_on_the_socket_by_its_name(self) -> None:
        sockets = unit("tlsdemo.socket")["Socket"]
        where = f"--listen=systemd:domain=INET:name={sockets['FileDescriptorName']}"
        self.assertIn(where, arguments())
        self.assertRegex(sockets["ListenStream"], r"^[\d.]+:8899$")

    def test_the_service_is_given_longer_to_stop_than_its_connections(self) -> None:
        stop = int(unit("tlsdemo.service")["Service"]["TimeoutStopSec"])
        self.assertGreater(stop, tap.Options()["drain-timeout"])

    def test_the_service_may_not_do_what_it_need_not(self) -> None:
        service = unit("tlsdemo.service")["Service"]
        for name in ("NoNewPrivileges", "PrivateTmp", "ProtectHome", "RestrictNamespaces"):
            self.assertEqual(service[name], "yes")
        self.assertEqual((service["CapabilityBoundingSet"], service["User"]), ("", "tlsdemo"))
        # pyOpenSSL does not start with it.
        self.assertNotIn("MemoryDenyWriteExecute", service)

    def test_systemd_accepts_the_units(self) -> None:
        self.analyze("verify", "--man=no")

    def test_systemd_finds_the_service_hardly_exposed(self) -> None:
        # Of 10; the network and the user's own files are what is left.
        self.analyze("security", "--offline=true", "--threshold=15")

    def analyze(self, *command: str) -> None:
        if shutil.which("systemd-analyze") is None:
            raise self.skipTest("there is no systemd-analyze: apt-get install systemd")
        with tempfile.TemporaryDirectory() as folder:
            for each in UNITS.glob("tlsdemo.s[eo]*"):
                # The program has to exist.
                text = each.read_text().replace("/opt/tlsdemo/bin/twistd", "/bin/true")
                (Path(folder) / each.name).write_text(text)
            done = subprocess.run(
                ["systemd-analyze", *command, f"{folder}/tlsdemo.service"],
                capture_output=True, text=True, timeout=TIMEOUT, check=False,
            )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        # What systemd does not know it ignores, with a warning.
        self.assertEqual([line for line in done.stderr.splitlines() if "tlsdemo" in line], [])


class AService(ProcessCase):
    def setUp(self) -> None:
        super().setUp()
        # As that of systemd, whose path is short.
        self.notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.notified.close)
        self.notified.bind(f"\0tlsdemo-test-{os.getpid()}")
        self.notified.settimeout(TIMEOUT)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.listener.close)
        self.where = f"tcp:127.0.0.1:{self.listener.getsockname()[1]}"
        self.config = self.home / "tlsdemo.toml"
        self.config.write_text('role = "echo"\nclient-auth = "none"\ndrain-timeout = 0\n')

    def start_service(self, *more: str, sockets: str = "1") -> RunningCommand:
        """Start it as systemd would: with the socket as descriptor 3, and its own process id."""
        options = [
            each.replace("/etc/tlsdemo/tlsdemo.toml", str(self.config))
            .replace("/run/tlsdemo/status", "status")
            for each in arguments()
        ]  # fmt: skip
        program = 'exec 3<&0 </dev/null; export LISTEN_PID=$$; exec "$@"'
        environ = (
            *(f"NOTIFY_SOCKET=@tlsdemo-test-{os.getpid()}", "LISTEN_FDNAMES=tlsdemo"),
            f"LISTEN_FDS={sockets}",
        )
        return self.start(
            *("env", *environ, "sh", "-c", program, "sh", *TWISTD, *options, self.certs, *more),
            stdin=self.listener.fileno(),
        )

    def told(self) -> dict[str, str]:
        text = self.notified.recv(1 << 12).decode()
        return dict(line.split("=", 1) for line in text.splitlines())

    def check_life(self, *more: str) -> str:
        server = self.start_service(*more)
        ready = {"READY": "1", "STATUS": f"listening on {self.where}"}
        self.assertEqual(self.told(), ready)
        client = EchoClient(self.where)
        self.addCleanup(client.close)
        self.assertTrue(client.echoes(b"hello"))
        server.signal(signal.SIGHUP)
        reloading = self.told()
        self.assertGreater(int(reloading.pop("MONOTONIC_USEC")), 0)
        self.assertEqual(reloading, {"RELOADING": "1", "STATUS": "loading the certificates again"})
        self.assertEqual(self.told(), ready)
        server.wait_for_line("certificates reloaded")
        server.signal(signal.SIGTERM)
        self.assertEqual(
            self.told(), {"STOPPING": "1", "STATUS": "waiting for open connections to end"}
        )
        self.assertEqual(server.wait(), -signal.SIGTERM)
        return server.output

    def test_serves_on_the_socket_and_tells_what_it_does(self) -> None:
        output = self.check_life()
        self.assertIn("echo", output)
        self.assertNotIn("Traceback", output)

    def test_serves_with_several_workers(self) -> None:
        self.check_life("--workers=2")

    def test_says_that_options_are_not_read_again(self) -> None:
        server = self.start_service()
        self.told()
        self.config.write_text('role = "sink"')
        server.signal(signal.SIGHUP)
        line = server.wait_for_line("has changed since the start").string
        self.assertIn(f"#warn] {self.config} has changed since the start", line)
        self.assertIn("restart the server for its options", line)
        client = EchoClient(self.where)
        self.addCleanup(client.close)
        self.assertTrue(client.echoes(b"still an echo"))

    def test_without_its_socket_says_so(self) -> None:
        # Nor is one its own that systemd has passed to the process that started it.
        passed = "LISTEN_FDS=1", "LISTEN_FDNAMES=tlsdemo", f"LISTEN_PID={os.getpid()}"
        nothing = "-u", "LISTEN_FDS", "-u", "LISTEN_PID"
        for environ in (nothing, passed):
            server = self.start(
                *("env", *environ, *TWISTD, "-n", "tlsdemo"),
                "--listen=systemd:domain=INET:name=tlsdemo",
            )
            self.assertEqual(server.wait(), 2)
            self.assertEqual(len(server.output.splitlines()), 1, server.output)
            self.assertIn("systemd has passed no socket", server.output)
