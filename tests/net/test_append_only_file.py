from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.append_only_file import GATHERED, AppendOnlyFile, CannotOpen


class LineFileCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.path = Path(self.mktemp())

    def opened(self, path: Path | None = None, most: int = 0, wait: float = 1.0) -> AppendOnlyFile:
        file = AppendOnlyFile("trace", path or self.path, self.clock, most, wait)
        self.addCleanup(file.close)
        return file

    def refusal(self, path: Path) -> str:
        return str(self.assertRaises(CannotOpen, self.opened, path))


class Opening(LineFileCase):
    def test_makes_a_file_for_its_owner_alone(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        self.opened()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_appends_to_what_is_there(self) -> None:
        self.path.touch(0o600)
        self.path.write_bytes(b"before\n")
        file = self.opened()
        file.append(b"after\n")
        file.close()
        self.assertEqual(self.path.read_bytes(), b"before\nafter\n")

    def test_stays_with_the_file_when_the_process_goes_to_another_folder(self) -> None:
        file = self.opened(Path("relative"))
        self.assertEqual(file.path, Path.cwd() / "relative")
        Path("relative").unlink()

    def test_is_refused_in_one_line_that_says_what_and_why(self) -> None:
        missing = Path("missing").absolute() / "trace"
        self.assertEqual(
            self.refusal(missing),
            f"--trace={str(missing)!r} cannot be opened: No such file or directory",
        )

    def test_is_refused_where_others_could_read_it(self) -> None:
        self.path.touch()
        self.path.chmod(0o640)
        self.assertIn("open to others than its owner (mode 0640); chmod", self.refusal(self.path))
        self.assertEqual(self.path.read_bytes(), b"")

    def test_does_not_wait_for_somebody_who_reads_a_pipe(self) -> None:
        os.mkfifo(self.path)
        self.assertIn("cannot be opened: No such device", self.refusal(self.path))


class Writing(LineFileCase):
    def test_gathers_lines_for_a_while(self) -> None:
        file = self.opened()
        file.append(b"one\n")
        self.clock.advance(0.5)
        file.append(b"two\n")
        self.assertEqual(self.path.read_bytes(), b"")
        self.clock.advance(0.5)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_does_not_gather_without_end(self) -> None:
        file = self.opened()
        line = b"x" * 1023 + b"\n"
        for _ in range(GATHERED // len(line)):
            file.append(line)
        self.assertEqual(self.path.stat().st_size, GATHERED)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_writes_each_line_at_once_if_asked_to(self) -> None:
        self.opened(wait=0).append(b"one\n")
        self.assertEqual(self.path.read_bytes(), b"one\n")

    def test_is_complete_when_it_is_closed_and_nothing_comes_after_that(self) -> None:
        file = self.opened()
        file.append(b"one\n")
        file.close()
        file.close()
        file.append(b"two\n")
        self.assertFalse(file.is_open)
        self.assertEqual(self.path.read_bytes(), b"one\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])


class NoMoreRoom(LineFileCase):
    def test_in_the_file_is_told_once_and_leaves_whole_lines(self) -> None:
        file = self.opened(most=9)
        with capturedLogs() as lines:
            for line in (b"one\n", b"two\n", b"three\n", b"4\n"):
                file.append(line)
        self.assertEqual(self.path.read_bytes(), b"one\ntwo\n")
        self.assertEqual(
            [formatEvent(line) for line in lines],
            [
                f"--trace={str(file.path)!r} is written no more: "
                "it has reached --trace-max, which is 9 bytes"
            ],
        )
        self.assertFalse(file.is_open)

    def test_counts_what_was_there_before(self) -> None:
        self.path.touch(0o600)
        self.path.write_bytes(b"before\n")
        file = self.opened(most=9)
        with capturedLogs() as lines:
            file.append(b"one\n")
        self.assertEqual((len(lines), self.path.read_bytes()), (1, b"before\n"))

    def test_on_the_disk_is_told_once_and_harms_nobody(self) -> None:
        file = self.opened(Path("/dev/full"))
        with capturedLogs() as lines:
            file.append(b"one\n")
            self.clock.advance(1)
            file.append(b"two\n")
            self.clock.advance(1)
            file.close()
        self.assertEqual(
            [formatEvent(line) for line in lines],
            ["--trace='/dev/full' is written no more: it cannot be written: "
             "No space left on device"],
        )  # fmt: skip

    def test_in_mid_line_takes_back_what_was_written_of_it(self) -> None:
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
