"""A file that lines are appended to, and that never harms the service."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.server.linefile import GATHERED, CannotOpen, LineFile


class LineFileCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp())
        self.logged: list[str] = []
        observer: Any = self._logs
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def _logs(self, event: LogEvent) -> None:
        if event.get("log_namespace") == "tlsdemo":
            self.logged.append(str(event.get("why")))

    def file(self, most: int = 0, wait: float = 1.0) -> LineFile:
        file = LineFile("trace", self.path, self.clock, most, wait)
        self.addCleanup(file.close)
        return file


class Writing(LineFileCase):
    def test_is_for_its_owner_alone(self) -> None:
        self.file()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_goes_on_behind_what_is_there(self) -> None:
        self.path.touch(0o600)
        self.path.write_bytes(b"before\n")
        file = self.file()
        file.append(b"after\n")
        file.close()
        self.assertEqual(self.path.read_bytes(), b"before\nafter\n")

    def test_waits_a_moment_for_more(self) -> None:
        file = self.file()
        file.append(b"one\n")
        file.append(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"")
        self.clock.advance(1.0)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits_no_longer_when_it_is_much(self) -> None:
        self.file().append(b"x" * GATHERED)
        self.assertEqual(self.path.stat().st_size, GATHERED)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_waits_for_nothing_if_it_is_to_be_at_once(self) -> None:
        self.file(wait=0.0).append(b"one\n")
        self.assertEqual(self.path.read_bytes(), b"one\n")

    def test_is_complete_once_it_is_closed_and_takes_no_more(self) -> None:
        file = self.file()
        file.append(b"one\n")
        file.close()
        file.append(b"two\n")
        file.close()
        self.assertEqual(self.path.read_bytes(), b"one\n")
        self.assertFalse(file.is_open)


class Trouble(LineFileCase):
    def test_of_opening_is_told_in_a_line(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        error = self.assertRaises(CannotOpen, LineFile, "trace", folder, self.clock)
        self.assertEqual(
            str(error), f"--trace={str(folder.absolute())!r} cannot be opened: Is a directory"
        )

    def test_with_others_who_could_read_it_is_told(self) -> None:
        self.path.touch()
        self.path.chmod(0o644)
        error = self.assertRaises(CannotOpen, LineFile, "keylog", self.path, self.clock)
        self.assertIn("is open to others than its owner (mode 0644); chmod 600 it", str(error))

    def test_with_its_bound_ends_it_with_a_whole_line_and_is_told_once(self) -> None:
        file = self.file(most=10)
        for line in (b"12345\n", b"678\n", b"9\n", b"0\n"):
            file.append(line)
        self.assertEqual(self.path.read_bytes(), b"12345\n678\n")
        self.assertFalse(file.is_open)
        self.assertEqual(self.logged, ["it has reached --trace-max, which is 10 bytes"])

    def test_of_writing_leaves_whole_lines_and_is_told_once(self) -> None:
        file = self.file(wait=0.0)
        file.append(b"one\n")
        write = os.write

        def full(descriptor: int, data: bytes) -> int:
            if len(data) > 4:
                return write(descriptor, data[:4])
            raise OSError(28, "No space left on device")

        self.patch(os, "write", full)
        file.append(b"two, and\n")
        file.append(b"three\n")
        self.patch(os, "write", write)
        self.assertEqual(self.path.read_bytes(), b"one\n")
        self.assertEqual(self.logged, ["it cannot be written: No space left on device"])

    def test_with_a_device_is_only_told(self) -> None:
        device = Path("/dev/full")
        file = LineFile("trace", device, self.clock, wait=0.0)
        self.addCleanup(file.close)
        file.append(b"one\n")
        self.assertEqual(self.logged, ["it cannot be written: No space left on device"])
