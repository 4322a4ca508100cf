from __future__ import annotations

import os
import socket
import stat
import tempfile
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tests.support import short_folder
from tlsdemo.net import runtime_folder as module
from tlsdemo.net.runtime_folder import (
    check_private,
    check_usual,
    make_private,
    make_short,
    remove_stale_socket,
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

    def test_a_client_does_not_connect_in_a_folder_of_somebody_else(self) -> None:
        self.patch(module, "runtime_folder", lambda: self.folder)
        self.assertRaises(FileNotFoundError, check_usual, status_endpoint(25))
        make_private(self.folder)
        check_usual(status_endpoint(25))
        self.folder.chmod(0o755)
        self.assertRaises(PermissionError, check_usual, status_endpoint(25))
        for other in ("tcp:127.0.0.1:8898", "unix:elsewhere"):
            check_usual(other)


class ShortFolders(SynchronousTestCase):
    def made(self, temporary: Path) -> Path:
        self.patch(tempfile, "tempdir", str(temporary))
        folder = make_short("mine-")
        self.addCleanup(folder.rmdir)
        check_private(folder)
        self.assertTrue(folder.name.startswith("mine-"))
        return folder

    def test_one_is_where_temporary_files_are(self) -> None:
        folder = Path(tempfile.mkdtemp(dir="/tmp"))
        self.addCleanup(folder.rmdir)
        self.assertEqual(self.made(folder).parent, folder)

    def test_where_that_has_a_long_path_it_is_elsewhere(self) -> None:
        long = Path(self.mktemp()).absolute() / ("x" * 100)
        long.mkdir(parents=True)
        with socket.socket(socket.AF_UNIX) as bound:
            path = self.made(long) / "and-the-name-of-a-socket"
            bound.bind(str(path))
            path.unlink()
        self.assertEqual(list(long.iterdir()), [])


class StaleSocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = short_folder(self) / "socket"

    def bound(self) -> socket.socket:
        bound = socket.socket(socket.AF_UNIX)
        self.addCleanup(bound.close)
        bound.bind(str(self.path))
        return bound

    def test_one_that_nobody_listens_on_is_removed(self) -> None:
        self.bound().close()
        remove_stale_socket(self.path)
        self.assertFalse(self.path.exists())
        remove_stale_socket(self.path)

    def test_one_that_somebody_listens_on_is_kept(self) -> None:
        self.bound().listen(0)
        # The first waits to be accepted, and there is no room for a second.
        waiting = socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        for _ in range(2):
            problem = self.assertRaises(OSError, remove_stale_socket, self.path)
            self.assertIn("another server has it", str(problem))
            self.assertTrue(self.path.exists())
            waiting.setblocking(False)
            waiting.connect_ex(str(self.path))

    def test_what_is_no_socket_is_kept(self) -> None:
        self.path.write_text("something")
        problem = self.assertRaises(OSError, remove_stale_socket, self.path)
        self.assertIn("it is not a socket", str(problem))
        self.assertTrue(self.path.exists())
