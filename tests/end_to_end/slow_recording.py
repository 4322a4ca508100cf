"""What a running server writes down of its connections, read as a user reads it."""

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
        """Have three connections served; return the log and the traces."""
        recording = ("--trace=trace.jsonl", "--trace-every=2", "--keylog=keys", "--log-events")
        server, where = self.server(f"--mode={mode}", *recording)
        client = self.twistd(
            *("tlsclient", f"--connect={where}", "--status=unix:status", self.certs),
            *(f"--mode={client_mode}", "--conn=3", "--packets=2"),
        )
        self.assertEqual(client.ends(), 0, client.said)
        self.summary(server)
        lines = (self.home / "trace.jsonl").read_text(encoding="utf-8").splitlines()
        return server.said, traces_from(lines)

    def test_connections_are_in_the_trace_with_their_events_and_records(self) -> None:
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

    def test_keys_are_written_for_all_and_the_log_is_loud_and_has_the_events(self) -> None:
        said, _ = self.records("pair")
        self.assertIn("UNSAFE: the secrets of all connections are written to", said)
        self.assertIn("handshakeCompleted [peer write]", said)
        self.assertRegex(said, r"secure agreed=TLSv1.3 .* \[peer flight write\]")
        lines = (self.home / "keys").read_text(encoding="ascii").splitlines()
        for line in lines:
            self.assertRegex(line, KEY)
        randoms = {line.split()[1] for line in lines}
        self.assertEqual(len(randoms), 3)

    def test_what_cannot_be_written_is_told_in_a_line_before_anything_is_served(self) -> None:
        server = self.twistd("-n", "--pidfile=", "tlsdemo", self.certs, "--trace=/nowhere/t")
        self.assertEqual(server.ends(), 1)
        told = "tlsdemo: --trace='/nowhere/t' cannot be opened: No such file or directory\n"
        self.assertIn(told, server.said)
        self.assertNotIn("Traceback", server.said)
