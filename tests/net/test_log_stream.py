from __future__ import annotations

import errno
import io
import os

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.log_stream import LogStream


class FailingStream(io.StringIO):
    problem: Exception | None = None

    def write(self, text: str) -> int:
        if self.problem is not None:
            raise self.problem
        return super().write(text)


class LogStreamTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.stream = FailingStream()
        self.complaints: list[str] = []
        self.log = LogStream(self.stream, self.complaints.append)

    def say(self, *lines: str) -> None:
        for line in lines:
            self.log.write(f"{line}\n")
            self.log.flush()

    def test_what_is_written_is_written_at_once(self) -> None:
        buffered = io.BytesIO()
        log = LogStream(io.TextIOWrapper(io.BufferedWriter(buffered)), print)
        log.write("one\n")
        self.assertEqual(buffered.getvalue(), b"one\n")

    def test_an_outage_is_told_once_and_noted_when_it_is_over(self) -> None:
        self.say("one")
        for _ in range(2):
            self.stream.problem = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.say("lost", "lost")
            self.stream.problem = None
            self.say("two", "three")
        self.assertEqual(self.complaints, ["No space left on device"] * 2)
        again = "\n2 entries may be missing here: No space left on device\ntwo\nthree\n"
        self.assertEqual(self.stream.getvalue(), f"one\n{again}{again}")

    def test_a_closed_stream_does_not_raise(self) -> None:
        self.stream.problem = ValueError("I/O operation on closed file")
        self.say("lost")
        self.assertEqual(self.complaints, ["I/O operation on closed file"])
