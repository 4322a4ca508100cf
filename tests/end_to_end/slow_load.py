"""The load client against servers with a known answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

from tests.end_to_end.processes import TIMEOUT, ProcessCase, RunningCommand, children
from tests.support import certificates


class KnownServer:
    """Accepts TLS connections in a thread, and echoes what each client sends first.

    ``most``: handshakes per second, 0 for no limit.  ``answer_after``: seconds.  ``drop``: every so
    manieth connection is closed before the handshake.
    """

    def __init__(self, most: float = 0.0, answer_after: float = 0.0, drop: int = 0) -> None:
        self._most, self._answer_after, self._drop = most, answer_after, drop
        self.accepted = 0
        self._stopped = threading.Event()
        server = certificates().server
        assert server.certificate is not None
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(server.certificate, server.key)
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=512)
        self._socket.settimeout(0.1)
        self.connect = f"--connect=tcp:127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(TIMEOUT)
        self._socket.close()

    def _accept(self) -> None:
        free_at = time.monotonic()
        while not self._stopped.is_set():
            try:
                accepted, _ = self._socket.accept()
            except TimeoutError:
                continue
            self.accepted += 1
            accepted.settimeout(5.0)
            if self._drop and self.accepted % self._drop == 0:
                accepted.close()
            elif self._most:
                free_at = max(free_at + 1 / self._most, time.monotonic())
                self._stopped.wait(free_at - time.monotonic())
                self._serve(accepted)
            else:
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with self._context.wrap_socket(accepted, server_side=True) as secure:
                while data := secure.recv(1 << 16):
                    self._stopped.wait(self._answer_after)
                    secure.sendall(data)
        except OSError:
            pass


class LoadCase(ProcessCase):
    def known(self, **settings: Any) -> KnownServer:
        server = KnownServer(**settings)
        self.addCleanup(server.stop)
        return server

    def load(self, server: KnownServer, *options: str) -> RunningCommand:
        return self.twistd(
            *("tlsclient", server.connect, "--server-name=localhost", "--status=none", self.certs),
            *("--workers=1", "--json=result.json", *options),
        )

    def result(self, command: RunningCommand) -> Any:
        command.wait()
        (run,) = json.loads(Path(self.home, "result.json").read_text())["runs"]
        return run


class KnownAnswers(LoadCase):
    def test_an_answer_after_10_ms_has_a_round_trip_of_10_ms(self) -> None:
        run = self.result(self.load(
            self.known(answer_after=0.01),
            *("--scenario=pingpong", "--conn=4", "--rate=40", "--duration=3", "--warm-up=0.5"),
        ))  # fmt: skip
        (window,) = run["windows"]
        self.assertEqual((window["loop"], window["done"], window["missed"]), ("open", 120, 0))
        self.assertTrue(0.01 <= window["latencies"]["round trip"]["p50"] < 0.02, window)

    def test_dropped_connections_are_failures_by_their_cause_and_in_no_latency(self) -> None:
        server = self.known(drop=10)
        command = self.load(
            server, "--scenario=churn", "--packets=1", "--conn=8", "--rate=50", "--duration=4"
        )
        run = self.result(command)
        self.assertEqual(server.accepted, 200)
        self.assertEqual(sum(run["failed"].values()), 20, run["failed"])
        self.assertLessEqual({*run["failed"]}, {"handshake interrupted", "truncated"})
        (window,) = run["windows"]
        self.assertEqual((window["done"], run["groups"]), (180, {"x25519": 180}))

    def test_the_greatest_rate_is_that_of_a_throttled_server(self) -> None:
        run = self.result(self.load(
            self.known(most=40.0),
            *("--scenario=churn", "--conn=100", "--rate=30", "--duration=2", "--find-max"),
            "--slo=p99(confirmed)<120ms,failed<0.1%",
        ))  # fmt: skip
        self.assertLess(abs(run["greatest_rate"] - 40.0), 2.0, run["greatest_rate"])


class TheGenerator(LoadCase):
    def test_says_so_if_its_worker_was_throttled(self) -> None:
        command = self.load(
            self.known(), "--scenario=pingpong", "--conn=2", "--rate=50", "--duration=3"
        )
        command.wait_for_line("sending")
        (worker,) = children(command.pid)
        stopping = threading.Event()

        def throttle() -> None:
            while not stopping.wait(0.1):
                os.kill(worker, signal.SIGSTOP)
                stopping.wait(0.1)
                os.kill(worker, signal.SIGCONT)

        thread = threading.Thread(target=throttle)
        thread.start()
        try:
            command.wait_for_line("closed loop|open loop")
        finally:
            stopping.set()
            thread.join()
        command.wait()
        self.assertRegex(command.output, r"warning: worker 1 was \d+ ms late for 1 % of the time")
