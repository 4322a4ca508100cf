from __future__ import annotations

import json
from typing import Any
from unittest.mock import patch

from twisted.internet.defer import Deferred

from tests.proxy.fakes import server_settings
from tests.proxy.loopback_server import LoopbackTestCase
from tlsdemo.metrics.figures import Figures
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.service import Server
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.tls import MODES, ClientAuth, ModeName
from tlsdemo.trace.model import traces_from
from tlsdemo.web.connection_list import ListedConnection
from tlsdemo.web.page_watches import PageWatches
from tlsdemo.web.worker_answers import WorkerAnswers


class WorkerAnswersTests(LoopbackTestCase):
    def served(self) -> tuple[Server, WorkerAnswers, PageWatches]:
        from twisted.internet import reactor

        watches = PageWatches(MODES[ModeName.STARTTLS])
        settings = server_settings(
            ModeName.STARTTLS, None, 1 << 16, ClientAuth.REQUIRED,
            listen=["tcp:0:interface=127.0.0.1"], handler=HandlerName.ECHO, watches=watches.watches,
        )  # fmt: skip
        server = Server(settings, reactor)
        answers = WorkerAnswers(server, settings, watches)
        server.privilegedStartService()
        server.startService()
        self.addCleanup(server.stopService)
        return server, answers, watches

    def told(self, answer: Any) -> Any:
        return json.loads(json.dumps(answer))

    def test_have_what_the_parent_shows(self) -> Deferred[None]:
        async def scenario() -> None:
            server, answers, watches = self.served()
            client = await self.connect(server, self.client(ModeName.STARTTLS))
            await client.made
            client.send(b"hello")
            await client.received(5)
            told = self.told(answers.page({"changes": None}))
            self.assertEqual(Snapshot.from_json(told["statistics"]).bytes_in, 5)
            figures = Figures.from_json(told["figures"])
            self.assertEqual((figures.states["open"], figures.handshakes.count), (1, 1))
            (one,) = [ListedConnection.from_json(each) for each in told["connections"]]
            self.assertEqual([one], watches.connections.newest_first())
            self.assertGreaterEqual(told["took"], 0.0)
            again = self.told(answers.page({"changes": told["changes"]}))
            self.assertNotIn("connections", again)
            lines = self.told(self.successResultOf(answers.connection({"number": 1})))["lines"]
            trace = self.successResultOf(watches.connections.trace(1))
            assert trace is not None
            (read,) = traces_from(lines).values()
            self.assertEqual((read.title, len(read.seen)), (trace.title, len(trace.seen)))

        return Deferred.fromCoroutine(scenario())

    def test_walk_the_open_connections_once_for_their_states(self) -> None:
        server, answers, _ = self.served()
        with patch.object(server, "phases", wraps=server.phases) as phases:
            answers.page({"changes": None})
        phases.assert_called_once_with()

    def test_of_a_connection_that_is_not_kept_are_none(self) -> None:
        _, answers, _ = self.served()
        self.assertEqual(self.successResultOf(answers.connection({"number": 7})), {"lines": []})
        for number in (None, "7", [7]):
            self.assertRaises(ValueError, answers.connection, {"number": number})
