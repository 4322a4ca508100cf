from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from tlsdemo.proxy.listening import CannotStart, listen
from tlsdemo.proxy.shared_listeners import SharedListeners, _NoFactory

HERE = "tcp:0:interface=127.0.0.1"


class SharedListenersTests(TestCase):
    def shared(self, *where: str, count: int = 2) -> SharedListeners:
        shared = SharedListeners(reactor, where, count)
        self.addCleanup(shared.close)
        return shared

    def port(self, shared: SharedListeners) -> int:
        address: Any = shared.addresses()[0]
        return int(address.port)

    def test_each_worker_has_a_socket_of_its_own_on_the_same_port(self) -> None:
        shared = self.shared(HERE, count=3)
        descriptors = {shared.descriptors(index)[0] for index in range(3)}
        self.assertEqual(len(descriptors), 3)
        ports = set()
        for each in descriptors:
            with socket.socket(fileno=socket.dup(each)) as bound:
                ports.add(bound.getsockname())
        self.assertEqual(ports, {("127.0.0.1", self.port(shared))})

    def test_a_unix_socket_is_the_same_for_all(self) -> None:
        shared = self.shared(f"unix:{self.mktemp()}")
        self.assertEqual(shared.descriptors(0), shared.descriptors(1))

    def test_the_workers_listen_on_descriptors_from_3(self) -> None:
        shared = self.shared(HERE, f"haproxy:{HERE}", "tcp6:0:interface=\\:\\:1")
        self.assertEqual(
            shared.endpoints(), ["adopted:INET:3", "haproxy:adopted:INET:4", "adopted:INET6:5"]
        )
        self.assertEqual(len(shared.descriptors(1)), 3)

    async def test_a_worker_accepts_from_an_adopted_socket(self) -> None:
        shared = self.shared(HERE, count=1)
        adopted = listen(reactor, f"adopted:INET:{os.dup(shared.descriptors(0)[0])}", _NoFactory())
        self.assertEqual(adopted.getHost(), shared.addresses()[0])
        await adopted.stopListening()  # type: ignore[misc]

    def test_connections_wait_while_nobody_accepts(self) -> None:
        shared = self.shared(HERE)
        with socket.create_connection(("127.0.0.1", self.port(shared)), timeout=5):
            pass

    def test_a_port_that_another_server_shares_with_its_workers_is_in_use(self) -> None:
        port = self.port(self.shared(HERE))
        where = f"tcp:{port}:interface=127.0.0.1"
        error = self.assertRaises(CannotStart, self.shared, HERE, where)
        self.assertEqual(str(error), f"cannot listen on {where}: Address already in use")

    def test_what_is_more_than_a_socket_cannot_be_shared(self) -> None:
        error = self.assertRaises(CannotStart, self.shared, "ssl:1")
        self.assertIn("use tcp:, tcp6:, unix:, systemd: or --workers=1", str(error))
