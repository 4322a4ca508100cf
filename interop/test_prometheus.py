"""Prometheus scrapes a server; promtool checks its metrics, and the rules in docs/."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from typing import Any

from interop.attempts import tried
from interop.peers import InteropCase, await_port, client_context, free_port, program
from tests.end_to_end.processes import TIMEOUT, RunningCommand, port_of
from tests.test_architecture import ROOT

TOKEN = "0123456789abcdef"


class Prometheus(InteropCase):
    def setUp(self) -> None:
        super().setUp()
        self.prometheus = program("prometheus", "prometheus")
        self.promtool = program("promtool", "prometheus")

    def served(self, *options: str) -> tuple[RunningCommand, int, str]:
        """Start a server with pages; return it with its port and the URL of the pages."""
        server, port = self.tlsdemo_server("--web=tcp:0:interface=127.0.0.1", *options)
        where = server.wait_for_line(r"the live page is at (http://\S+),")[1]
        return server, port, where

    def check(self, *command: str, given: bytes = b"") -> None:
        done = subprocess.run(
            [self.promtool, *command], input=given, capture_output=True, timeout=TIMEOUT
        )
        output = (done.stdout + done.stderr).decode()
        self.assertEqual(done.returncode, 0, output)

    @tried("finds nothing wrong with our metrics, nor with our alert rules", "Prometheus")
    def test_finds_nothing_wrong(self) -> None:
        _, port, where = self.served("--role=echo")
        self.connect_once(port)
        with urllib.request.urlopen(f"{where}metrics", timeout=TIMEOUT) as answer:
            self.check("check", "metrics", given=answer.read())
        self.check("check", "rules", str(ROOT / "docs/metrics/alerts.yml"))

    @tried("finds nothing wrong with the metrics of two workers", "Prometheus")
    def test_finds_nothing_wrong_with_workers(self) -> None:
        _, port, where = self.served("--role=echo", "--workers=2")
        self.connect_once(port)
        with urllib.request.urlopen(f"{where}metrics", timeout=TIMEOUT) as answer:
            metrics = answer.read()
        self.assertIn(b'worker="2"', metrics)
        self.check("check", "metrics", given=metrics)

    @tried("scrapes our metrics, with a token, and evaluates the alert rules", "Prometheus")
    def test_scrapes_a_server(self) -> None:
        token = self.home / "token"
        token.write_text(TOKEN + "\n")
        _, port, where = self.served("--role=echo", f"--web-token={token}")
        self.connect_once(port)
        own = self.start_prometheus(port_of(where.rstrip("/")))
        found = self.query(own, "tlsdemo_connections_total")
        self.assertEqual(found[0]["value"][1], "1")
        self.assertEqual(found[0]["metric"]["mode"], "starttls")
        names = {each["metric"]["__name__"] for each in self.query(own, '{__name__=~"tlsdemo_.*"}')}
        self.assertIn("tlsdemo_handshake_duration_seconds_bucket", names)
        (target,) = self.api(own, "targets")["activeTargets"]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        (group,) = self.api(own, "rules")["groups"]
        self.assertEqual({rule["health"] for rule in group["rules"]} - {"unknown"}, {"ok"})

    def connect_once(self, port: int) -> None:
        with (
            socket.create_connection(("127.0.0.1", port), TIMEOUT) as plain,
            client_context().wrap_socket(plain, server_hostname="localhost") as secured,
        ):
            secured.sendall(b"hello")
            self.assertEqual(secured.recv(5), b"hello")

    def start_prometheus(self, target: int) -> int:
        """Start a Prometheus that scrapes ``target``; return its port."""
        config = self.home / "prometheus.yml"
        job = {
            "job_name": "tlsdemo",
            "authorization": {"credentials_file": "token"},
            "static_configs": [{"targets": [f"127.0.0.1:{target}"]}],
        }
        rules = [str(ROOT / "docs/metrics/alerts.yml")]
        times = {"scrape_interval": "200ms", "scrape_timeout": "200ms"}
        times["evaluation_interval"] = "200ms"
        # JSON is YAML.
        config.write_text(
            json.dumps({"global": times, "rule_files": rules, "scrape_configs": [job]})
        )
        port = free_port()
        self.start(
            self.prometheus,
            f"--config.file={config}",
            f"--storage.tsdb.path={self.home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        )
        await_port(port)
        return port

    def api(self, port: int, path: str) -> Any:
        url = f"http://127.0.0.1:{port}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=TIMEOUT) as answer:
            return json.load(answer)["data"]

    def query(self, port: int, text: str) -> Any:
        """Return the results of a query, once there are some and the rules have been evaluated."""
        end = time.monotonic() + TIMEOUT
        path = "query?" + urllib.parse.urlencode({"query": text})
        while time.monotonic() < end:
            rules = [rule for each in self.api(port, "rules")["groups"] for rule in each["rules"]]
            found = self.api(port, path)["result"]
            if found and all(rule["health"] != "unknown" for rule in rules):
                return found
            time.sleep(0.1)
        raise AssertionError(f"Prometheus has no result of {text}")
