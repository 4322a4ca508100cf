"""The relay between two ends without TLS: what it forwards, and the faults that it injects."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from tests.support import AwaitedRecorder, factory_of
from tlsdemo.lab import relay as module
from tlsdemo.lab.relay import Relay
from tlsdemo.lab.scenarios import Fault, FaultAction
from tlsdemo.trace.model import Arrow, End
from tlsdemo.trace.observation import wire_label
from tlsdemo.trace.record import Kind

FIN, RST = "lost: ConnectionDone", "lost: ConnectionLost"


@implementer(IHalfCloseableProtocol)
class AnswersFin(Protocol):
    """Sends something when it has received a FIN, and ends the connection."""

    def readConnectionLost(self) -> None:
        assert self.transport is not None
        self.transport.write(b"late\r\n")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: the connection is over soon."""


class RelayCase(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.records: list[Arrow] = []
        self.silenced: list[End] = []
        self.server, self.client = AwaitedRecorder(), AwaitedRecorder()

    async def listens(self, factory: Any) -> int:
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: Any = await endpoint.listen(factory)
        self.addCleanup(port.stopListening)
        return int(port.getHost().port)

    async def relay_to(self, port: int, *faults: Any, **more: Any) -> int:
        self.relay = Relay(reactor, port, lambda: 0.5, self.records.append, *faults, **more)
        self.relay.on_ignored = self.silenced.append
        return await self.listens(self.relay)

    async def begin(self, fault: Fault | None = None, one_segment: bool = False) -> None:
        port = await self.listens(factory_of(self.server))
        port = await self.relay_to(port, fault, one_segment)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        await endpoint.connect(factory_of(self.client))
        await self.server.connection

    async def ends(self) -> tuple[object, object]:
        """Wait until everything has ended, and return the last event of server and client."""
        await self.relay.over
        await self.server.loss
        await self.client.loss
        return self.server.log[-1], self.client.log[-1]

    def say(self, end: AwaitedRecorder, words: bytes) -> None:
        assert end.transport is not None
        end.transport.write(words)

    @property
    def wire(self) -> list[str]:
        return [wire_label(arrow) for arrow in self.records]


def fault(act: FaultAction, data: bytes = b"") -> Fault:
    return Fault(End.CLIENT, Kind.PLAIN, act, data)


class Relaying(RelayCase):
    async def test_forwards_data_and_reports_each_record(self) -> None:
        await self.begin()
        self.say(self.client, b"question\r\n")
        self.assertEqual(await self.server.reception(10), b"question\r\n")
        self.say(self.server, b"answer\r\n")
        self.assertEqual(await self.client.reception(8), b"answer\r\n")
        self.assertEqual(self.wire, ["client plain question\\r\\n", "server plain answer\\r\\n"])
        self.assertEqual({arrow.at for arrow in self.records}, {0.5})
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        await self.ends()

    async def test_forwards_data_that_came_before_it_was_connected_to_the_server(self) -> None:
        port = await self.relay_to(await self.listens(factory_of(self.server)))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"early")
        # Its FIN came early too.
        await self.relay.over
        await self.server.loss
        self.assertEqual(self.server.log, ["connected", b"early", FIN])

    async def test_forwards_a_fin_in_either_direction(self) -> None:
        for name in ("client", "server"):
            self.setUp()
            await self.begin()
            getattr(self, name).transport.loseConnection()
            self.assertEqual(await self.ends(), (FIN, FIN))

    async def test_reports_what_an_end_sends_after_the_other_ends_fin(self) -> None:
        port = await self.relay_to(await self.listens(factory_of(AnswersFin())))
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        await endpoint.connect(factory_of(self.client))
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        await self.relay.over
        await self.client.loss
        self.assertEqual(self.wire, ["server plain late\\r\\n"])

    async def test_forwards_a_reset_in_either_direction(self) -> None:
        for name, other in (("client", "server"), ("server", "client")):
            self.setUp()
            await self.begin()
            getattr(self, name).transport.abortConnection()
            await self.ends()
            self.assertEqual(getattr(self, other).log[-1], RST)

    async def test_forwards_a_reset_that_came_before_it_was_connected_to_the_server(self) -> None:
        port = await self.relay_to(await self.listens(factory_of(self.server)))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.relay.over
        await self.server.loss
        self.assertEqual(self.server.log, ["connected", RST])

    async def test_accepts_only_one_connection(self) -> None:
        await self.begin()
        self.assertIsNone(self.relay.buildProtocol(None))
        self.relay.cut()
        self.assertEqual(await self.ends(), (FIN, FIN))

    async def test_closes_the_connection_if_there_is_no_server(self) -> None:
        port = await self.relay_to(1)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        await endpoint.connect(factory_of(self.client))
        await self.relay.over
        await self.client.loss

    async def test_resets_both_ends_on_demand(self) -> None:
        await self.begin()
        self.relay.reset()
        self.assertEqual(await self.ends(), (RST, RST))


class Faults(RelayCase):
    async def test_cut_ends_both_connections_and_forwards_nothing(self) -> None:
        await self.begin(fault(FaultAction.CUT))
        self.say(self.client, b"question")
        self.assertEqual(await self.ends(), (FIN, FIN))
        self.assertEqual(self.server.received, [])
        self.assertEqual(self.wire, ["client plain question (dropped)"])

    async def test_replace_forwards_other_bytes_instead(self) -> None:
        await self.begin(fault(FaultAction.REPLACE, b"other words\r\n"))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(13), b"other words\r\n")
        self.assertEqual(
            self.wire, ["client plain question (dropped)", "client unreadable (injected)"]
        )
        self.relay.cut()
        await self.ends()

    async def test_append_adds_bytes_only_once(self) -> None:
        await self.begin(fault(FaultAction.APPEND, b"more\r\n"))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(14), b"questionmore\r\n")
        self.assertEqual(self.wire, ["client plain question", "client plain more (injected)"])
        self.say(self.client, b"again")
        self.assertEqual(await self.server.reception(19), b"questionmore\r\nagain")
        self.relay.cut()
        await self.ends()

    async def test_silence_drops_everything_even_a_reset(self) -> None:
        await self.begin(fault(FaultAction.SILENCE))
        seen: Deferred[None] = Deferred()
        self.relay.on_ignored = lambda end: self.silenced.append(end)
        self.say(self.client, b"question")
        self.say(self.server, b"answer")
        reactor.callLater(0.02, seen.callback, None)
        await seen
        self.assertEqual(set(self.silenced), set(End))
        self.client.transport.abortConnection()  # type: ignore[union-attr]
        await self.client.loss
        self.assertEqual(self.server.received, [])
        self.assertEqual(self.server.log, ["connected"])
        self.server.transport.loseConnection()  # type: ignore[union-attr]
        await self.ends()

    async def test_a_fault_is_triggered_only_by_its_sender(self) -> None:
        await self.begin(Fault(End.SERVER, Kind.PLAIN, FaultAction.CUT))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(8), b"question")
        self.say(self.server, b"answer")
        self.assertEqual(await self.ends(), (FIN, FIN))
        self.assertEqual(self.client.received, [])


class IgnoredEnd(RelayCase):
    async def test_the_data_of_one_end_can_be_dropped(self) -> None:
        await self.begin()
        self.relay.ignore(End.SERVER)
        self.assertEqual(self.silenced, [End.SERVER])
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(8), b"question")
        self.say(self.server, b"answer")
        self.server.transport.loseConnection()  # type: ignore[union-attr]
        await self.server.loss
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        await self.ends()
        self.assertEqual(self.client.received, [])
        self.assertEqual(self.wire[1:], ["server plain answer (dropped)"])


class OneSegment(RelayCase):
    async def test_pieces_sent_at_about_the_same_time_are_joined(self) -> None:
        await self.begin(one_segment=True)
        for words in (b"one ", b"two ", b"three"):
            self.say(self.client, words)
            await self.iterations(2)
        self.assertEqual(await self.server.reception(13), b"one two three")
        self.assertEqual(self.server.received, [b"one two three"])
        self.relay.cut()
        await self.ends()

    async def test_pieces_are_joined_even_if_the_machine_is_too_busy_to_keep_the_time(self) -> None:
        # As if the time had passed before the end could run.
        self.patch(module, "QUIET", 0)
        await self.test_pieces_sent_at_about_the_same_time_are_joined()

    async def test_held_data_is_forwarded_before_the_end_of_the_connection(self) -> None:
        self.patch(module, "QUIET", 10)
        await self.begin(one_segment=True)
        self.say(self.client, b"last words")
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        self.assertEqual(await self.server.reception(10), b"last words")
        await self.ends()

    async def test_no_timer_is_left_when_both_connections_have_ended(self) -> None:
        self.patch(module, "QUIET", 10)
        await self.begin(one_segment=True)
        self.say(self.client, b"unheard")
        await self.iterations(4)
        self.relay.reset()
        await self.ends()

    async def iterations(self, number: int) -> None:
        for _ in range(number):
            turn: Deferred[None] = Deferred()
            reactor.callLater(0, turn.callback, None)
            await turn
