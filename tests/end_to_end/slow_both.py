"""``twistd tlsdemo`` and ``twistd tlsclient``, started in one directory."""

from __future__ import annotations

import os
import re
import signal

from tests.end_to_end.processes import ProcessCase, ProcessHandles, RunningCommand, children
from tests.loadgen.fake_reactor import strangers
from tests.support import certificates

RUN_LINE = r"run \S+: sent [\d,]+, received [\d,]+, lost \d+ bytes"
FEW = ("--conn=3", "--duration=0", "--workers=1")


class Case(ProcessCase):
    def client(self, where: str, *options: str) -> RunningCommand:
        return self.twistd(
            *("tlsclient", f"--connect={where}", "--status=unix:status", self.certs, *options)
        )

    def run_line(self, text: str) -> str:
        found = re.search(RUN_LINE, text)
        assert found is not None, text
        return found[0]


class InOneDirectory(Case):
    def loaded(self, where: str) -> str:
        """Put a load on the server, and return the line with its result."""
        client = self.client(where, "--conn=40", "--duration=0.3", "--workers=2")
        self.assertEqual(client.wait(), 0, client.output)
        self.assertIn("40 connections: 40 secured", client.output)
        self.assertIn("0 failed, 40 ended in order", client.output)
        line = self.run_line(client.output)
        self.assertNotIn("sent 0", line)
        self.assertIn("lost 0 bytes", line)
        return line

    def check_log(self, log: str, line: str) -> None:
        """Fail unless the server's log has that line, and the events of the first connection."""
        self.assertIn(line, log)
        first = re.findall(r"#1 \S+ \+\S+ (.*)", log)
        words = [word.partition(" ")[0] for word in first]
        after = words.index("handshakeCompleted")
        self.assertEqual(words[after + 1], "secure")
        self.assertIn("closed how=clean", first)
        self.assertIn("summary: 40 connections, 40 secured, 40 ended in order, failed 0", log)
        self.assertNotIn("Traceback", log)

    def test_a_daemon_serves_a_client_and_logs_a_summary_when_it_is_stopped(self) -> None:
        starting = self.twistd(
            *("tlsdemo", "--listen=tcp:0:interface=127.0.0.1", "--status=unix:status", self.certs)
        )
        self.assertEqual(starting.wait(), 0, starting.output)
        pid_file, log_file = self.home / "twistd.pid", self.home / "twistd.log"
        daemon = ProcessHandles([int(pid_file.read_text())])
        self.addCleanup(daemon.kill)
        found = re.search(r"listening on (\S+);", log_file.read_text())
        assert found is not None
        line = self.loaded(found[1])
        daemon.signal(signal.SIGTERM)
        self.assertEqual(daemon.still_running(), [])
        self.check_log(log_file.read_text(), line)
        self.assertFalse(pid_file.exists())

    def test_a_server_in_the_foreground_does_the_same(self) -> None:
        server, where = self.server("--mode=pair")
        line = self.loaded(where)
        self.summary(server)
        self.check_log(server.output, line)


class AClientThatFails(Case):
    def failed(self, client: RunningCommand, status: int = 2) -> str:
        self.assertEqual(client.wait(), status, client.output)
        self.assertNotIn("Traceback", client.output)
        return client.output

    def test_because_the_server_rejects_it(self) -> None:
        server, where = self.server()
        stranger = strangers().client
        client = self.client(
            *(where, *FEW, f"--cert={stranger.certificate}"),
            *(f"--key={stranger.key}", f"--ca={certificates().authority}"),
        )
        output = self.failed(client)
        self.assertIn("no connection was secured: rejected by peer: ", output)
        self.assertIn("failed 3 (certificate untrusted 3)", self.summary(server))

    def test_because_nothing_listens(self) -> None:
        client = self.client("unix:nobody", "--status=none", *FEW)
        self.assertIn("no connection was secured: no such socket: ", self.failed(client))

    def test_because_there_is_no_status_service(self) -> None:
        _, where = self.server()
        client = self.client(where, "--status=unix:nobody", *FEW)
        output = self.failed(client, status=1)
        self.assertIn("3 secured", output)
        self.assertRegex(output, r"run \S+: sent [0-9,]+, received not known")
        self.assertIn(
            "problem: what arrives is not known: no status service at unix:nobody", output
        )


class AClientThatIsStopped(Case):
    def sending(self) -> tuple[RunningCommand, ProcessHandles]:
        _, where = self.server()
        client = self.client(where, "--conn=4", "--duration=1000", "--workers=2")
        client.wait_for_line("sending")
        workers = ProcessHandles(children(client.pid))
        self.addCleanup(workers.kill)
        self.assertEqual(len(workers), 2)
        return client, workers

    def test_by_ctrl_c_prints_its_result_and_leaves_no_worker(self) -> None:
        client, workers = self.sending()
        client.signal_all(signal.SIGINT)
        self.assertEqual(client.wait(), -signal.SIGINT)
        self.assertNotIn("Traceback", client.output)
        self.assertIn("4 secured", client.output)
        self.assertIn("lost 0 bytes", self.run_line(client.output))
        self.assertIn("problem: stopped before its end", client.output)
        self.assertEqual(workers.still_running(), [])

    def test_by_sigkill_leaves_no_worker(self) -> None:
        client, workers = self.sending()
        client.signal(signal.SIGKILL)
        self.assertEqual(client.wait(), -signal.SIGKILL)
        self.assertEqual(workers.still_running(), [])


if not hasattr(os, "pidfd_open"):
    for case in (InOneDirectory, AClientThatIsStopped):
        case.skip = "Python has no os.pidfd_open here, with which to wait for others' children"
