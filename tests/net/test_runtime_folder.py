from __future__ import annotations

import os
import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.runtime_folder import (
    check_private,
    make_private,
    runtime_folder,
    status_endpoint,
)


class RuntimeFolderTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute()

    def test_each_user_has_one_whatever_the_environment(self) -> None:
        self.assertEqual(runtime_folder(), Path(f"/tmp/tlsdemo-{os.geteuid()}"))

    def test_a_status_service_is_named_by_its_servers_port(self) -> None:
        self.assertEqual(status_endpoint(25, Path("/run")), "unix:/run/status-25")
        self.assertIn(str(runtime_folder()), status_endpoint(25))

    def test_it_is_made_for_one_user_and_can_be_made_again(self) -> None:
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        for _ in range(2):
            make_private(self.folder)
        self.assertEqual(stat.S_IMODE(self.folder.stat().st_mode), 0o700)

    def test_a_folder_that_is_open_to_others_is_refused(self) -> None:
        self.folder.mkdir()
        self.folder.chmod(0o750)
        self.assertRaises(OSError, make_private, self.folder)

    def test_a_folder_of_another_user_is_refused(self) -> None:
        make_private(self.folder)
        self.patch(os, "geteuid", lambda: self.folder.stat().st_uid + 1)
        self.assertRaises(OSError, check_private, self.folder)

    def test_a_link_or_a_file_is_refused(self) -> None:
        other = Path(self.mktemp()).absolute()
        make_private(other)
        self.folder.symlink_to(other)
        self.assertRaises(OSError, check_private, self.folder)
        file = Path(self.mktemp())
        file.touch()
        self.assertRaises(OSError, make_private, file)

    def test_one_that_does_not_exist_is_refused(self) -> None:
        self.assertRaises(OSError, check_private, self.folder)
