from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.append_only_file import BUFFER_SIZE, AppendOnlyFile
from tlsdemo.net.private_file import CannotOpen


class FileCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp())

    def opened(self, path: Path | None = None, **options: Any) -> AppendOnlyFile:
        file = AppendOnlyFile("trace", path or self.path, self.clock, **options)
        self.addCleanup(file.close)
        return file

    def refusal(self, path: Path) -> str:
        return str(self.assertRaises(CannotOpen, self.opened, path))


class Opening(FileCase):
    def test_creates_a_file_for_its_owner_only(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.opened()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_appends_to_an_existing_file(self) -> None:
        self.path.touch(0o600)
        self.path.write_bytes(b"before\n")
        file = self.opened()
        file.append(b"after\n")
        file.close()
        self.assertEqual(self.path.read_bytes(), b"before\nafter\n")

    def test_makes_the_path_absolute(self) -> None:
        file = self.opened(Path("relative"))
        self.assertEqual(file.path, Path.cwd() / "relative")
        Path("relative").unlink()

    def test_fails_with_one_line_that_says_what_and_why(self) -> None:
        missing = Path("missing").absolute() / "trace"
        self.assertEqual(
            self.refusal(missing),
            f"--trace={str(missing)!r} cannot be opened: No such file or directory",
        )

    def test_fails_if_others_could_read_the_file(self) -> None:
        self.path.touch()
        self.path.chmod(0o640)
        self.assertIn("open to others than its owner (mode 0640); chmod", self.refusal(self.path))
        self.assertEqual(self.path.read_bytes(), b"")

    def test_fails_if_the_file_belongs_to_another_user(self) -> None:
        self.path.touch(0o600)
        self.path.chmod(0o600)
        owner = self.path.stat().st_uid
        self.patch(os, "geteuid", lambda: owner + 1)
        self.assertIn("belongs to another user", self.refusal(self.path))

    def test_does_not_follow_a_symbolic_link(self) -> None:
        other = Path(self.mktemp())
        other.touch(0o600)
        self.path.symlink_to(other.absolute())
        self.assertIn("cannot be opened: it is a symbolic link", self.refusal(self.path))

    def test_follows_those_of_the_system(self) -> None:
        # What the tests were started with may be a socket, or a file of another user.
        before = os.dup(2)
        self.addCleanup(os.close, before)
        self.addCleanup(os.dup2, before, 2)
        with self.path.open("w") as file:
            self.path.chmod(0o600)
            os.dup2(file.fileno(), 2)
        self.opened(Path("/dev/stderr"), max_delay=0).append(b"line\n")
        self.assertEqual(self.path.read_bytes(), b"line\n")

    def test_what_this_process_has_open_can_be_named(self) -> None:
        # A shell names a process substitution, --trace=>(gzip), in this way.
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        for folder in ("/dev/fd", "/proc/self/fd"):
            self.opened(Path(folder, str(writing)), max_delay=0).append(b"line\n")
            self.assertEqual(os.read(reading, 100), b"line\n")

    def test_other_folders_below_dev_are_not_of_the_system(self) -> None:
        other = Path(self.mktemp()).absolute()
        other.touch(0o600)
        link = Path("/dev/shm", f"tlsdemo-test-{os.getpid()}")
        link.symlink_to(other)
        self.addCleanup(link.unlink)
        self.assertIn("it is a symbolic link", self.refusal(link))

    def test_does_not_block_on_a_fifo_without_a_reader(self) -> None:
        os.mkfifo(self.path)
        self.assertIn("cannot be opened: No such device", self.refusal(self.path))

    def fifo(self, mode: int) -> None:
        os.mkfifo(self.path)
        self.path.chmod(mode)
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)

    def test_writes_to_a_fifo_of_this_user(self) -> None:
        self.fifo(0o600)
        self.opened()

    def test_fails_if_others_could_read_from_the_fifo(self) -> None:
        self.fifo(0o644)
        self.assertIn("open to others than its owner (mode 0644)", self.refusal(self.path))

    def test_fails_if_the_fifo_belongs_to_another_user(self) -> None:
        self.fifo(0o600)
        owner = self.path.stat().st_uid
        self.patch(os, "geteuid", lambda: owner + 1)
        self.assertIn("belongs to another user", self.refusal(self.path))


class Writing(FileCase):
    def test_is_delayed_so_that_lines_are_written_together(self) -> None:
        file = self.opened()
        file.append(b"one\n")
        self.clock.advance(0.5)
        file.append(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"")
        self.clock.advance(0.5)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_is_not_delayed_if_the_buffer_is_full(self) -> None:
        file = self.opened()
        line = b"x" * 1023 + b"\n"
        for _ in range(BUFFER_SIZE // len(line)):
            file.append(line)
        self.assertEqual(self.path.stat().st_size, BUFFER_SIZE)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_is_immediate_without_a_delay(self) -> None:
        self.opened(max_delay=0).append(b"one\n")
        self.assertEqual(self.path.read_bytes(), b"one\n")

    def test_is_completed_by_closing_and_impossible_afterwards(self) -> None:
        file = self.opened()
        file.append(b"one\n")
        file.close()
        file.close()
        file.append(b"two\n")
        self.assertFalse(file.is_open)
        self.assertEqual(self.path.read_bytes(), b"one\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])


class WritingFails(FileCase):
    def test_if_the_file_is_full_which_is_logged_once_and_leaves_complete_lines(self) -> None:
        file = self.opened(max_size=9)
        with capturedLogs() as lines:
            for line in (b"one\n", b"two\n", b"three\n", b"4\n"):
                file.append(line)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")
        self.assertEqual(
            [formatEvent(line) for line in lines],
            [
                f"--trace={str(file.path)!r} is not written any more: "
                "its size would exceed --trace-max, 9 bytes"
            ],
        )
        self.assertFalse(file.is_open)

    def test_if_the_file_was_nearly_full_before(self) -> None:
        self.path.touch(0o600)
        self.path.write_bytes(b"before\n")
        file = self.opened(max_size=9)
        with capturedLogs() as lines:
            file.append(b"one\n")
        self.assertEqual((len(lines), self.path.read_bytes()), (1, b"before\n"))

    def test_if_the_disk_is_full_which_is_logged_once_and_raises_nothing(self) -> None:
        file = self.opened(Path("/dev/full"))
        with capturedLogs() as lines:
            file.append(b"one\n")
            self.clock.advance(1)
            file.append(b"two\n")
            self.clock.advance(1)
            file.close()
        self.assertEqual(
            [formatEvent(line) for line in lines],
            ["--trace='/dev/full' is not written any more: it cannot be written: "
             "No space left on device"],
        )  # fmt: skip

    def test_for_two_reasons_of_which_only_the_first_is_logged(self) -> None:
        file = self.opened(Path("/dev/full"), max_size=9)
        with capturedLogs() as lines:
            file.append(b"one\n")
            file.append(b"a line too long\n")
        (line,) = lines
        self.assertIn("it cannot be written", formatEvent(line) or "")

    def test_in_the_middle_of_a_line_whose_beginning_is_removed(self) -> None:
        file = self.opened()
        file.append(b"one\n")
        file.flush()
        write = os.write

        def half(where: int, data: bytes) -> int:
            self.patch(os, "write", full)
            return write(where, data[: len(data) // 2])

        def full(where: int, data: bytes) -> int:
            self.patch(os, "write", write)
            raise OSError(28, "No space left on device")

        self.patch(os, "write", half)
        file.append(b"two and more\n")
        file.flush()
        self.assertEqual(self.path.read_bytes(), b"one\n")
        self.assertFalse(file.is_open)
