"""``tlsdemo events`` as a process: what it writes to files, and how it ends when interrupted."""

from __future__ import annotations

import json
import signal
import stat
from pathlib import Path
from typing import Any

from tests.cli.events_process import COMMAND, ONE, EventsCase
from tests.end_to_end.processes import children
from tlsdemo.lab.stacks.stack_catalogue import node_availability

LIFELINES = ("server", "client", "wire")


class Commands(EventsCase):
    def test_write_json_to_a_file(self) -> None:
        peer = "twisted-starttls"
        said = self.output_of(
            *ONE, "--scenario=injection behind the req", f"--stack={peer}",
            "--format=json", "--output=seen.json",
        )  # fmt: skip
        self.assertEqual(said, "tlsdemo events: making 3 connections\n")
        seen: dict[str, Any] = json.loads((self.home / "seen.json").read_text())
        self.assertEqual(set(seen), {"versions", "cells"})
        self.assertIn("Twisted", seen["versions"])
        names = [(cell["way"], cell["peer"]) for cell in seen["cells"]]
        expected = [("ok", "tlsdemo"), ("injection behind the request", "tlsdemo"), ("ok", peer)]
        self.assertEqual(names, expected)
        for cell in seen["cells"]:
            self.assertLessEqual(
                {"mode", "tls", "way", "peer", "race", "why", *LIFELINES, "also", "trace"},
                set(cell),
            )
            self.assertEqual((cell["why"], cell["race"], cell["also"]), ("", False, []))
            self.assertEqual((cell["mode"], cell["tls"]), ("starttls", "1.3"))
            self.assertTrue(all(cell[name] for name in LIFELINES), cell)

    def test_write_keys_for_wireshark(self) -> None:
        said = self.output_of(*ONE, "--keylog=keys", "--output=page")
        warning = "tlsdemo events: the secrets of all connections are written to keys\n"
        self.assertEqual(said, warning)
        keys = self.home / "keys"
        self.assertEqual(stat.S_IMODE(keys.stat().st_mode), 0o600)
        lines = keys.read_text().splitlines()
        for line in lines:
            self.assertRegex(line, r"^[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$")
        self.assertIn("CLIENT_TRAFFIC_SECRET_0", {line.split()[0] for line in lines})
        self.output_of(*ONE, "--keylog=keys", "--output=page")
        self.assertEqual(keys.read_text().splitlines()[: len(lines)], lines)

    def test_end_with_one_line_when_interrupted_and_leave_nothing(self) -> None:
        for arguments in ((*ONE[:3], "--times=1000"), ("--stack=twisted-wrapped",)):
            temporary = self.home / "temporary"
            temporary.mkdir(exist_ok=True)
            running = self.start("env", f"TMPDIR={temporary}", *COMMAND, *arguments)
            while not list(temporary.glob("tlsdemo-events-*/good/ecdsa/*")):
                self.assertNotIn("Traceback", running.output)
            if "--stack" in arguments[0]:
                while not children(running.pid):
                    self.assertNotIn("Traceback", running.output)
            started = children(running.pid)
            running.signal(signal.SIGINT)
            self.assertEqual(running.wait(), 1)
            *progress, last = running.output.splitlines()
            self.assertEqual(last, "tlsdemo events: interrupted")
            self.assertTrue(all("making" in line for line in progress), progress)
            self.assertEqual(list(temporary.iterdir()), [])
            for pid in started:
                self.assertFalse(Path(f"/proc/{pid}").exists())

    def test_show_what_node_calls_secure(self) -> None:
        running = self.start(
            *COMMAND, *ONE[1:], "--stack=node-tlssocket", "--format=json", "--output=seen"
        )
        self.assertEqual(running.wait(), 0, running.output)
        (cell,) = json.loads((self.home / "seen").read_text())["cells"]
        here = node_availability().reason is None
        self.assertEqual("secure" in cell["server"], here)
        self.assertNotIn("secureConnect", cell["server"])
