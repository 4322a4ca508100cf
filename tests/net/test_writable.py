from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.writable import why_not_writable


class WhyNotWritable(SynchronousTestCase):
    def setUp(self) -> None:
        self.home = Path(self.mktemp()).absolute()
        self.home.mkdir()
        self.path = self.home / "file"

    def assert_refused(self, number: int) -> None:
        self.assertEqual(why_not_writable(self.path), os.strerror(number))

    def test_a_new_file_is_not_left_behind(self) -> None:
        self.assertIsNone(why_not_writable(self.path))
        self.assertEqual(list(self.home.iterdir()), [])

    def test_a_file_that_exists_keeps_its_contents(self) -> None:
        self.path.write_text("before")
        self.assertIsNone(why_not_writable(self.path))
        self.assertEqual(self.path.read_text(), "before")

    def test_a_link_to_nothing_is_a_new_file(self) -> None:
        self.path.symlink_to("elsewhere")
        self.assertIsNone(why_not_writable(self.path))
        self.assertEqual(list(self.home.iterdir()), [self.path])

    def test_a_fifo_without_a_reader_does_not_block(self) -> None:
        os.mkfifo(self.path)
        self.assertIsNone(why_not_writable(self.path))

    def test_a_missing_folder(self) -> None:
        self.path = self.home / "missing" / "file"
        self.assert_refused(errno.ENOENT)

    def test_a_file_for_a_folder(self) -> None:
        self.path.write_text("")
        self.path = self.path / "file"
        self.assert_refused(errno.ENOTDIR)

    def test_a_folder(self) -> None:
        self.path.mkdir()
        self.assert_refused(errno.EISDIR)

    def test_a_name_that_is_too_long(self) -> None:
        self.path = self.home / ("x" * 300)
        self.assert_refused(errno.ENAMETOOLONG)

    def test_a_full_disk(self) -> None:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
        try:
            self.assert_refused(errno.EFBIG)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        self.assertEqual(list(self.home.iterdir()), [])

    def test_what_this_user_may_not_write(self) -> None:
        # Root, who may run the tests, may write everything.
        def refuse(*_: object, **__: object) -> int:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

        self.path.write_text("")
        fifo = self.home / "fifo"
        os.mkfifo(fifo)
        self.patch(os, "open", refuse)
        self.patch(os, "access", lambda *_: False)
        self.assert_refused(errno.EACCES)
        self.path = fifo
        self.assert_refused(errno.EACCES)
        self.path = self.home / "new"
        self.assert_refused(errno.EACCES)
