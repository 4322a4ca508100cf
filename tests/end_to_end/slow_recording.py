"""The files that a running server writes about its connections, as a user reads them."""

from __future__ import annotations

import re
import stat

from tests.end_to_end.processes import ProcessCase
from tlsdemo.trace.model import End, Trace, traces_from
from tlsdemo.trace.record import Kind

IN_ORDER = ["connected", "ClientHello seen", "handshakeCompleted", "secure", "first bytes in"]

KEY = re.compile(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]+")


class Recorded(ProcessCase):
    def records(self, mode: str, client_mode: str = "starttls") -> tuple[str, dict[int, Trace]]:
        """Run a server and three connections; return the log and the traces."""
        recording = ("--trace=trace.jsonl", "--trace-every=2", "--keylog=keys", "--log-events")
        server, where = self.server(f"--mode={mode}", *recording)
        client = self.twistd(
            *("tlsclient", f"--connect={where}", "--status=unix:status", self.certs),
            *(f"--mode={client_mode}", "--conn=3", "--packets=2"),
        )
        self.assertEqual(client.wait(), 0, client.output)
        self.summary(server)
        lines = (self.home / "trace.jsonl").read_text(encoding="utf-8").splitlines()
        return server.output, traces_from(lines)

    def test_the_trace_has_the_events_and_records_of_connections(self) -> None:
        for mode, client_mode in (("starttls", "starttls"), ("wrapped", "wrapped")):
            _, traces = self.records(mode, client_mode)
            self.assertEqual([*traces], [1, 2])
            for trace in traces.values():
                names = [event.name for event in trace.marks(End.SERVER)]
                self.assertEqual([name for name in names if name in IN_ORDER], IN_ORDER)
                first = trace.arrows()[0]
                self.assertEqual(first.record.messages, ("client_hello",))
                kinds = {
                    arrow.record.kind for arrow in trace.arrows() if arrow.sender is End.SERVER
                }
                self.assertIn(Kind.APPLICATION_DATA, kinds)
            for file in (self.home / "trace.jsonl", self.home / "keys"):
                self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
                file.unlink()

    def test_keys_of_all_connections_are_written_and_the_log_warns_of_that(
        self,
    ) -> None:
        log, _ = self.records("pair")
        self.assertIn("UNSAFE: the secrets of all connections are written to", log)
        self.assertIn("handshakeCompleted [peer write]", log)
        self.assertRegex(log, r"secure agreed=TLSv1.3 .* \[peer flight write\]")
        lines = (self.home / "keys").read_text(encoding="ascii").splitlines()
        for line in lines:
            self.assertRegex(line, KEY)
        randoms = {line.split()[1] for line in lines}
        self.assertEqual(len(randoms), 3)

    def test_a_file_that_cannot_be_opened_is_an_error_before_the_server_starts(
        self,
    ) -> None:
        server = self.twistd("-n", "--pidfile=", "tlsdemo", self.certs, "--trace=/nowhere/t")
        self.assertEqual(server.wait(), 2)
        error = "tlsdemo: --trace='/nowhere/t' cannot be opened: No such file or directory\n"
        self.assertIn(error, server.output)
        self.assertNotIn("Traceback", server.output)
