"""``twistd tlsdemo`` and ``twistd tlsclient``, typed in one directory."""

from __future__ import annotations

import os
import re
import signal

from tests.end_to_end.processes import ProcessCase, Running, Watched, children
from tests.loadgen.fake_reactor import strangers
from tests.support import certificates

RUN_LINE = r"run \S+: sent [\d,]+, received [\d,]+, lost \d+ bytes"
FEW = ("--conn=3", "--duration=0", "--workers=1")


class Case(ProcessCase):
    def client(self, where: str, *options: str) -> Running:
        return self.twistd(
            *("tlsclient", f"--connect={where}", "--status=unix:status", self.certs, *options)
        )

    def run_line(self, text: str) -> str:
        found = re.search(RUN_LINE, text)
        assert found is not None, text
        return found[0]


class InOneDirectory(Case):
    def loaded(self, where: str) -> str:
        """Put a load on the server, and return the line that tells what became of it."""
        client = self.client(where, "--conn=40", "--duration=0.3", "--workers=2")
        self.assertEqual(client.ends(), 0, client.said)
        self.assertIn("40 connections: 40 secured", client.said)
        self.assertIn("0 failed, 40 ended in order", client.said)
        line = self.run_line(client.said)
        self.assertNotIn("sent 0", line)
        self.assertIn("lost 0 bytes", line)
        return line

    def told(self, log: str, line: str) -> None:
        """What the server's log tells of that, and of the first connection."""
        self.assertIn(line, log)
        first = re.findall(r"#1 \S+ \+\S+ (.*)", log)
        words = [word.partition(" ")[0] for word in first]
        after = words.index("handshakeCompleted")
        self.assertEqual(words[after + 1], "secure")
        self.assertIn("closed how=clean", first)
        self.assertIn("summary: 40 connections, 40 secured, 40 ended in order, failed 0", log)
        self.assertNotIn("Traceback", log)

    def test_a_daemon_serves_a_client_and_sums_up_when_it_is_ended(self) -> None:
        starting = self.twistd(
            *("tlsdemo", "--listen=tcp:0:interface=127.0.0.1", "--status=unix:status", self.certs)
        )
        self.assertEqual(starting.ends(), 0, starting.said)
        pid_file, log_file = self.home / "twistd.pid", self.home / "twistd.log"
        daemon = Watched([int(pid_file.read_text())])
        self.addCleanup(daemon.end)
        found = re.search(r"listening on (\S+);", log_file.read_text())
        assert found is not None
        line = self.loaded(found[1])
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.still_run(), [])
        self.told(log_file.read_text(), line)
        self.assertFalse(pid_file.exists())

    def test_a_server_in_the_foreground_does_as_well(self) -> None:
        server, where = self.server("--mode=pair")
        line = self.loaded(where)
        self.summary(server)
        self.told(server.said, line)


class AClientThatFails(Case):
    def failed(self, client: Running) -> str:
        self.assertEqual(client.ends(), 1, client.said)
        self.assertNotIn("Traceback", client.said)
        return client.said

    def test_because_the_server_rejects_it(self) -> None:
        server, where = self.server()
        stranger = strangers().client
        client = self.client(
            *(where, *FEW, f"--cert={stranger.certificate}"),
            *(f"--key={stranger.key}", f"--ca={certificates().authority}"),
        )
        said = self.failed(client)
        self.assertIn("0 secured", said)
        self.assertIn("3 failed (rejected by peer 3)", said)
        self.assertIn("failed 3 (certificate untrusted 3)", self.summary(server))

    def test_because_nothing_listens(self) -> None:
        client = self.client("unix:nobody", "--status=none", *FEW)
        self.assertIn("3 failed (connecting failed 3)", self.failed(client))

    def test_because_nobody_tells_what_arrived(self) -> None:
        _, where = self.server()
        client = self.client(where, "--status=unix:nobody", *FEW)
        said = self.failed(client)
        self.assertIn("3 secured", said)
        self.assertRegex(said, r"run \S+: sent 0, received not known")
        self.assertIn("problem: what arrives is not known: no status service at unix:nobody", said)


class AClientThatIsEnded(Case):
    def sending(self) -> tuple[Running, Watched]:
        _, where = self.server()
        client = self.client(where, "--conn=4", "--duration=1000", "--workers=2")
        client.says("sending")
        workers = Watched(children(client.pid))
        self.addCleanup(workers.end)
        self.assertEqual(len(workers), 2)
        return client, workers

    def test_by_ctrl_c_tells_the_figures_so_far_and_leaves_no_worker(self) -> None:
        client, workers = self.sending()
        client.signal_all(signal.SIGINT)
        self.assertEqual(client.ends(), -signal.SIGINT)
        self.assertNotIn("Traceback", client.said)
        self.assertIn("4 secured", client.said)
        self.assertIn("lost 0 bytes", self.run_line(client.said))
        self.assertIn("problem: stopped before its end", client.said)
        self.assertEqual(workers.still_run(), [])

    def test_by_force_leaves_no_worker(self) -> None:
        client, workers = self.sending()
        client.signal(signal.SIGKILL)
        self.assertEqual(client.ends(), -signal.SIGKILL)
        self.assertEqual(workers.still_run(), [])


if not hasattr(os, "pidfd_open"):
    for case in (InOneDirectory, AClientThatIsEnded):
        case.skip = "Python has no os.pidfd_open here, with which to wait for others' children"
