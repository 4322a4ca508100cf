"""``twistd`` on a terminal: what it says before it goes to the background, and its end with it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import socket
import time

from tests.end_to_end.processes import (
    TIMEOUT,
    TWISTD,
    ProcessCase,
    port_of,
    wait_for_text,
    wait_until_gone,
)
from tlsdemo.net.child_process import environment


class Terminal:
    """A program on a pseudo-terminal of its own (pty(7)), which is its controlling terminal."""

    def __init__(self, case: ProcessCase, *arguments: str) -> None:
        self.output = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            os.chdir(case.home)
            os.execve(arguments[0], list(arguments), environment())
        self.status: int | None = None
        case.addCleanup(self.clean_up)

    def wait_for(self, pattern: str) -> re.Match[str]:
        deadline = time.monotonic() + TIMEOUT
        while not (found := re.search(pattern, self.output)):
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            try:
                data = os.read(self._master, 4096) if ready else b""
            except OSError:
                # The last process that had it open has ended (EIO).
                data = b""
            assert data, f"there was no {pattern!r}, but:\n{self.output}"
            self.output += data.decode()
        return found

    def close(self) -> None:
        """Close the terminal, whereupon the system sends SIGHUP."""
        os.close(self._master)
        self._master = -1

    def wait(self) -> int:
        """Wait for the program's end; return its status, or the negative number of a signal."""
        handle = os.pidfd_open(self.pid)
        ended, _, _ = select.select([handle], [], [], TIMEOUT)
        os.close(handle)
        assert ended, f"it goes on:\n{self.output}"
        self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status

    def clean_up(self) -> None:
        if self._master >= 0:
            self.close()
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class OnATerminal(ProcessCase):
    def server_on_terminal(self, *twistd: str) -> Terminal:
        return Terminal(
            self, *TWISTD, *twistd, "tlsdemo", "--listen=tcp:0:interface=127.0.0.1",
            "--status=none", self.certs,
        )  # fmt: skip

    def assert_released(self, where: str) -> None:
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", port_of(where)))

    def test_closing_the_terminal_ends_a_server_in_its_foreground(self) -> None:
        terminal = self.server_on_terminal("-n", "--logfile=log", "--pidfile=pid")
        log = self.home / "log"
        found = wait_for_text(log, r"listening on (\S+);")
        terminal.close()
        self.assertEqual(terminal.wait(), 0)
        self.assert_released(found[1])
        self.assertFalse((self.home / "pid").exists())
        self.assertIn("the terminal was closed (SIGHUP): stopping", log.read_text())
        self.assertIn("summary: 0 connections", log.read_text())

    def test_its_log_may_be_the_terminal_that_is_closed(self) -> None:
        terminal = self.server_on_terminal("-n", "--pidfile=")
        where = terminal.wait_for(r"listening on (\S+);")[1]
        terminal.close()
        self.assertEqual(terminal.wait(), 0)
        self.assert_released(where)

    def test_a_daemon_says_first_where_it_listens_and_survives_the_terminal(self) -> None:
        terminal = self.server_on_terminal()
        said = terminal.wait_for(
            r"twistd tlsdemo: listening on (\S+); log (.+); pid file (.+); pid (\d+)\r\n"
        )
        where, log, pid_file, pid = said.groups()
        try:
            self.assertEqual((self.home / "twistd.pid").read_text(), pid)
            self.assertEqual((log, pid_file), tuple(
                str(self.home / name) for name in ("twistd.log", "twistd.pid")
            ))  # fmt: skip
            self.assertEqual(terminal.wait(), 0)
            self.assertEqual(terminal.output, said[0])
            terminal.close()
            os.kill(int(pid), signal.SIGHUP)
            wait_for_text(self.home / "twistd.log", "certificates reloaded")
            socket.create_connection(("127.0.0.1", port_of(where)), timeout=TIMEOUT).close()
        finally:
            os.kill(int(pid), signal.SIGTERM)

    def test_a_daemon_that_cannot_listen_says_so_and_fails(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            terminal = Terminal(
                self, *TWISTD, "tlsdemo", f"--listen=tcp:{port}:interface=127.0.0.1",
                "--status=none", self.certs,
            )  # fmt: skip
            terminal.wait_for(f"cannot listen on tcp:{port}.*Address already in use")
            self.assertEqual(terminal.wait(), 1)
        # The daemon removes its pid file after it has told the process on the terminal.
        wait_until_gone(self.home / "twistd.pid")

    def test_closing_the_terminal_ends_a_load_client_in_order(self) -> None:
        server, where = self.server("--role=sink")
        terminal = Terminal(
            self, *TWISTD, "tlsclient", f"--connect={where}", "--status=unix:status", self.certs,
            "--conn=2", "--workers=1", "--duration=1000",
        )  # fmt: skip
        terminal.wait_for("tlsclient: sending")
        terminal.close()
        self.assertNotIn(terminal.wait(), (0, -signal.SIGHUP))
        self.assertIn("2 connections, 2 secured, 2 ended in order", self.summary(server))
