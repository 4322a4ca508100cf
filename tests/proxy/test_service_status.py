"""Where the status service listens."""

from __future__ import annotations

from tests.proxy.memory_server import ServerInMemory
from tests.support import short_folder
from tlsdemo.net.runtime_folder import STATUS, check_private
from tlsdemo.proxy import status_listening


class StatusTests(ServerInMemory):
    def setUp(self) -> None:
        super().setUp()
        self.folder = short_folder(self) / "run"
        self.patch(status_listening, "runtime_folder", lambda: self.folder)

    def sockets(self) -> list[tuple[str, int]]:
        return [(path, mode) for path, _, _, mode, _ in self.reactor.unixServers]

    def test_it_listens_on_a_socket_of_this_user(self) -> None:
        server = self.started(status=STATUS)
        self.assertEqual(self.sockets(), [(f"{self.folder}/status-8899", 0o600)])
        check_private(self.folder)
        self.successResultOf(server.stopService())

    def test_it_is_not_made_before_twistd_has_changed_the_user(self) -> None:
        self.server(status=STATUS).privilegedStartService()
        self.assertEqual(self.sockets(), [])

    def test_there_is_one_for_each_port(self) -> None:
        self.started(status=STATUS, listen=["tcp:1", "tcp:2", "tcp:1:interface=127.0.0.2"])
        self.assertEqual(
            [path for path, _ in self.sockets()],
            [f"{self.folder}/status-1", f"{self.folder}/status-2"],
        )

    def test_without_one_connections_are_served_all_the_same(self) -> None:
        self.folder.symlink_to("elsewhere")
        with self.lines() as lines:
            self.started(status=STATUS)
        (problem,) = (line for line in lines if "there is no status service" in line)
        self.assertIn("status-8899, so load clients will not learn what arrived: [Errno", problem)
        self.assertEqual(self.sockets(), [])
        self.assertEqual(len(self.reactor.tcpServers), 1)

    def test_a_server_without_a_port_has_none(self) -> None:
        self.started(status=STATUS, listen=["unix:a"])
        self.assertEqual([path for path, _ in self.sockets()], ["a"])

    def test_a_unix_socket_is_for_this_user_unless_its_mode_is_given(self) -> None:
        self.started(status="unix:a")
        self.started(status="unix:b:mode=666")
        self.assertEqual(self.sockets(), [("a", 0o600), ("b", 0o666)])
