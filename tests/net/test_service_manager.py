from __future__ import annotations

import os
import socket

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from tests.support import short_folder
from tlsdemo.net.service_manager import ServiceManager


class ServiceManagerTests(SynchronousTestCase):
    def listen(self, address: str) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(address)
        listener.settimeout(10)
        return listener

    def path(self) -> str:
        return str(short_folder(self) / "notify")

    def told(self, address: str, listener: socket.socket) -> list[bytes]:
        manager = ServiceManager(address, lambda: 7_000_001_999)
        manager.ready("listening on tcp:1")
        manager.reloading("again")
        manager.stopping("closing\nREADY=1")
        return [listener.recv(1000) for _ in range(3)]

    def check(self, address: str, listener: socket.socket) -> None:
        self.assertEqual(
            self.told(address, listener),
            [
                b"READY=1\nSTATUS=listening on tcp:1",
                b"RELOADING=1\nMONOTONIC_USEC=7000001\nSTATUS=again",
                b"STOPPING=1\nSTATUS=closing\\nREADY=1",
            ],
        )

    def test_it_writes_to_a_socket_with_a_path(self) -> None:
        path = self.path()
        self.check(path, self.listen(path))

    def test_it_writes_to_an_abstract_socket(self) -> None:
        name = f"tlsdemo/@test/{os.getpid()}"
        self.check(f"@{name}", self.listen(f"\0{name}"))

    def test_without_an_address_nothing_is_written(self) -> None:
        for environ in ({}, {"NOTIFY_SOCKET": ""}):
            with capturedLogs() as events:
                ServiceManager.from_environment(environ).ready("x")
            self.assertEqual(list(events), [])

    def test_the_address_is_not_left_to_child_processes(self) -> None:
        path = self.path()
        listener = self.listen(path)
        environ = {"NOTIFY_SOCKET": path, "OTHER": "x"}
        ServiceManager.from_environment(environ).ready("x")
        self.assertEqual(environ, {"OTHER": "x"})
        self.assertEqual(listener.recv(1000), b"READY=1\nSTATUS=x")

    def test_a_socket_that_cannot_be_written_to_is_logged_once(self) -> None:
        path = self.path()
        for address, reason in (
            (path, "No such file or directory"),
            ("vsock:2:1", "it is neither a path nor the name of an abstract socket"),
            ("/" + "x" * 200, "AF_UNIX path too long"),
        ):
            manager = ServiceManager(address)
            with capturedLogs() as events:
                manager.ready("x")
                manager.stopping("x")
            (event,) = events
            self.assertEqual(
                formatEvent(event),
                f"NOTIFY_SOCKET is {address!r}, and it cannot be told what the server does: "
                f"{reason}",
            )

    def test_it_does_not_wait_for_a_reader(self) -> None:
        path = self.path()
        self.listen(path)
        manager = ServiceManager(path)
        with capturedLogs() as events:
            for _ in range(10_000):
                manager.ready("x" * 1000)
        self.assertEqual(len(events), 1)
