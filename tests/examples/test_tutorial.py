"""docs/tutorial.md, from its first command to its last, as it is printed."""

from __future__ import annotations

import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial.md"
SECONDS = 30.0


def blocks(language: str) -> list[str]:
    text = TUTORIAL.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class TutorialTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.port = str(free_port())
        self.folder = Path(self.mktemp()).resolve()
        self.folder.mkdir()
        tools = str(Path(sys.executable).parent)
        root = str(TUTORIAL.parents[1])
        self.environment = {
            **os.environ,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": root,
        }

    def start(self, command: str) -> subprocess.Popen[str]:
        arguments = shlex.split(command.replace("2525", self.port))
        process = subprocess.Popen(
            arguments,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        killer = threading.Timer(SECONDS, process.kill)
        killer.start()
        self.addCleanup(killer.cancel)
        return process

    def run_to_its_end(self, command: str) -> str:
        output, _ = self.start(command).communicate()
        return output

    def serve(self, command: str, program: str) -> subprocess.Popen[str]:
        (self.folder / "server.py").write_text(program.replace("2525", self.port))
        server = self.start(command)
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(self.port)), SECONDS).close()
            except ConnectionRefusedError:
                self.assertIsNone(server.poll())
            else:
                return server

    def until(self, process: subprocess.Popen[str], expected: str) -> list[str]:
        assert process.stdout is not None
        lines: list[str] = []
        while expected not in lines:
            line = process.stdout.readline()
            self.assertTrue(line, f"{expected!r} is not in {lines}")
            lines.append(line.rstrip("\n"))
        return lines

    def test_every_step_does_what_is_written(self) -> None:
        certificate, run, talk, attack, load = blocks("sh")[2:]
        plain, secured = blocks("python")
        events, refused, summary = blocks("text")
        self.run_to_its_end(certificate)

        server = self.serve(run, plain)
        with socket.create_connection(("127.0.0.1", int(self.port)), SECONDS) as client:
            client.sendall(b"hello\r\n")
            received = b""
            while not received.endswith(b"HELLO\r\n"):
                received += client.recv(99)
        self.assertEqual(received, b"220 hello\r\n250 HELLO\r\n")
        server.kill()
        server.wait()

        server = self.serve(run, secured)
        client_program = self.start(talk)
        assert client_program.stdin is not None
        client_program.stdin.write("hello\n")
        client_program.stdin.flush()
        self.until(client_program, "250 HELLO")
        first, second, third = events.splitlines()
        seen = self.until(server, third)
        self.assertIn(first, seen)
        begin = " ".join(second.split()[:2])
        self.assertTrue(any(line.startswith(begin) for line in seen), seen)
        client_program.kill()  # As Ctrl-C would: at -quiet it does not end with its input.
        client_program.communicate()

        self.run_to_its_end(attack)
        self.until(server, refused.rstrip())

        # What the server prints has to go somewhere.
        assert server.stdout is not None
        reading = threading.Thread(target=server.stdout.read)
        reading.start()
        output = self.run_to_its_end(load.replace("--duration=5", "--duration=0.5"))
        pattern = re.sub(r"\b2036\b", r"\\d+", summary.rstrip())
        self.assertRegex(output, pattern)
        server.kill()
        reading.join()
