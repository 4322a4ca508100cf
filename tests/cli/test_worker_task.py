from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import server_settings
from tlsdemo.cli.worker_task import WorkerTask
from tlsdemo.proxy.server_settings import ServerSettings
from tlsdemo.tls import ClientAuth, ModeName


class WorkerTaskTests(SynchronousTestCase):
    def settings(self, **changes: object) -> ServerSettings:
        whole = server_settings(
            ModeName.CLEAR, None, 64, ClientAuth.NONE, **{"listen": ["tcp:1"], **changes}
        )
        return WorkerTask(2, 3, ["adopted:INET:3"]).settings(whole)

    def test_a_worker_listens_where_it_is_told_and_has_no_status_service(self) -> None:
        settings = self.settings(status="unix:a")
        self.assertEqual(settings.listen, ["adopted:INET:3"])
        self.assertIsNone(settings.status)

    def test_it_has_its_share_of_the_limits(self) -> None:
        settings = self.settings(max_connections=10, max_per_address=1)
        self.assertEqual((settings.max_connections, settings.max_per_address), (4, 1))
        settings = self.settings(max_connections=0, max_per_address=None)
        self.assertEqual((settings.max_connections, settings.max_per_address), (0, None))

    def test_the_workers_number_their_connections_differently(self) -> None:
        self.assertEqual(self.settings().numbers, (3, 3))

    def test_the_command_has_the_task_and_the_options(self) -> None:
        task = WorkerTask(0, 2, ["adopted:INET:3"], "asyncio")
        *_, module, text, option = task.command(["--mode=pair"])
        self.assertEqual((module, option), ("tlsdemo.cli.server_worker", "--mode=pair"))
        read = WorkerTask(**json.loads(text))
        self.assertEqual(read, task)
