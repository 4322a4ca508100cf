"""The relay between two plain ends: what it passes on, and what it does to it."""

from __future__ import annotations

import socket
import struct
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint
from twisted.trial.unittest import TestCase

from tests.support import AwaitedRecorder, factory_of
from tlsdemo.lab import relay as module
from tlsdemo.lab.relay import Relay
from tlsdemo.lab.scenarios import Act, Fault
from tlsdemo.trace.model import Arrow, End
from tlsdemo.trace.observation import wire_label
from tlsdemo.trace.record import Kind

FIN, RST = "lost: ConnectionDone", "lost: ConnectionLost"


class RelayCase(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.told: list[Arrow] = []
        self.silenced: list[End] = []
        self.server, self.client = AwaitedRecorder(), AwaitedRecorder()

    async def listens(self, factory: Any) -> int:
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port: Any = await endpoint.listen(factory)
        self.addCleanup(port.stopListening)
        return int(port.getHost().port)

    async def relay_to(self, port: int, *faults: Any, **more: Any) -> int:
        self.relay = Relay(reactor, port, lambda: 0.5, self.told.append, *faults, **more)
        self.relay.at_silence = self.silenced.append
        return await self.listens(self.relay)

    async def begin(self, fault: Fault | None = None, together: bool = False) -> None:
        port = await self.listens(factory_of(self.server))
        port = await self.relay_to(port, fault, together)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        await endpoint.connect(factory_of(self.client))
        await self.server.connection

    async def all_over(self) -> tuple[object, object]:
        """Wait until all has ended, and return how each end was told."""
        await self.relay.over
        await self.server.loss
        await self.client.loss
        return self.server.log[-1], self.client.log[-1]

    def say(self, end: AwaitedRecorder, words: bytes) -> None:
        assert end.transport is not None
        end.transport.write(words)

    @property
    def wire(self) -> list[str]:
        return [wire_label(arrow) for arrow in self.told]


def fault(act: Act, data: bytes = b"") -> Fault:
    return Fault(End.CLIENT, Kind.PLAIN, act, data)


class ARelay(RelayCase):
    async def test_passes_on_and_tells_what_it_sees(self) -> None:
        await self.begin()
        self.say(self.client, b"question\r\n")
        self.assertEqual(await self.server.reception(10), b"question\r\n")
        self.say(self.server, b"answer\r\n")
        self.assertEqual(await self.client.reception(8), b"answer\r\n")
        self.assertEqual(self.wire, ["client plain question\\r\\n", "server plain answer\\r\\n"])
        self.assertEqual({arrow.at for arrow in self.told}, {0.5})
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        await self.all_over()

    async def test_passes_on_what_came_before_it_was_connected_itself(self) -> None:
        port = await self.relay_to(await self.listens(factory_of(self.server)))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"early")
        # Its end came early as well.
        await self.relay.over
        await self.server.loss
        self.assertEqual(self.server.log, ["connected", b"early", FIN])

    async def test_passes_on_an_end_from_either_side(self) -> None:
        for name in ("client", "server"):
            self.setUp()
            await self.begin()
            getattr(self, name).transport.loseConnection()
            self.assertEqual(await self.all_over(), (FIN, FIN))

    async def test_passes_on_a_reset_from_either_side(self) -> None:
        for name, other in (("client", "server"), ("server", "client")):
            self.setUp()
            await self.begin()
            getattr(self, name).transport.abortConnection()
            await self.all_over()
            self.assertEqual(getattr(self, other).log[-1], RST)

    async def test_passes_on_a_reset_that_came_before_it_was_connected_itself(self) -> None:
        port = await self.relay_to(await self.listens(factory_of(self.server)))
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await self.relay.over
        await self.server.loss
        self.assertEqual(self.server.log, ["connected", RST])

    async def test_takes_one_connection(self) -> None:
        await self.begin()
        self.assertIsNone(self.relay.buildProtocol(None))
        self.relay.cut()
        self.assertEqual(await self.all_over(), (FIN, FIN))

    async def test_ends_if_there_is_no_server(self) -> None:
        port = await self.relay_to(1)
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port)
        await endpoint.connect(factory_of(self.client))
        await self.relay.over
        await self.client.loss

    async def test_resets_both_ends_when_told_to(self) -> None:
        await self.begin()
        self.relay.reset()
        self.assertEqual(await self.all_over(), (RST, RST))


class Faults(RelayCase):
    async def test_cut_both_wires_and_pass_nothing(self) -> None:
        await self.begin(fault(Act.CUT))
        self.say(self.client, b"question")
        self.assertEqual(await self.all_over(), (FIN, FIN))
        self.assertEqual(self.server.received, [])
        self.assertEqual(self.wire, ["client plain question (dropped)"])

    async def test_replace_what_was_said(self) -> None:
        await self.begin(fault(Act.REPLACE, b"other words\r\n"))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(13), b"other words\r\n")
        self.assertEqual(
            self.wire, ["client plain question (dropped)", "client unreadable (injected)"]
        )
        self.relay.cut()
        await self.all_over()

    async def test_append_to_what_was_said_once(self) -> None:
        await self.begin(fault(Act.APPEND, b"more\r\n"))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(14), b"questionmore\r\n")
        self.assertEqual(self.wire, ["client plain question", "client plain more (injected)"])
        self.say(self.client, b"again")
        self.assertEqual(await self.server.reception(19), b"questionmore\r\nagain")
        self.relay.cut()
        await self.all_over()

    async def test_silence_both_ends_and_their_ends_as_well(self) -> None:
        await self.begin(fault(Act.SILENCE))
        seen: Deferred[None] = Deferred()
        self.relay.at_silence = lambda end: self.silenced.append(end)
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
        await self.all_over()

    async def test_wait_for_their_sender(self) -> None:
        await self.begin(Fault(End.SERVER, Kind.PLAIN, Act.CUT))
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(8), b"question")
        self.say(self.server, b"answer")
        self.assertEqual(await self.all_over(), (FIN, FIN))
        self.assertEqual(self.client.received, [])


class ToOneEnd(RelayCase):
    async def test_it_can_be_deaf(self) -> None:
        await self.begin()
        self.relay.ignore(End.SERVER)
        self.assertEqual(self.silenced, [End.SERVER])
        self.say(self.client, b"question")
        self.assertEqual(await self.server.reception(8), b"question")
        self.say(self.server, b"answer")
        self.server.transport.loseConnection()  # type: ignore[union-attr]
        await self.server.loss
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        await self.all_over()
        self.assertEqual(self.client.received, [])
        self.assertEqual(self.wire[1:], ["server plain answer (dropped)"])


class Together(RelayCase):
    async def test_is_passed_on_what_is_said_within_a_moment(self) -> None:
        await self.begin(together=True)
        for words in (b"one ", b"two ", b"three"):
            self.say(self.client, words)
            await self.turns(2)
        self.assertEqual(await self.server.reception(13), b"one two three")
        self.assertEqual(self.server.received, [b"one two three"])
        self.relay.cut()
        await self.all_over()

    async def test_is_passed_on_what_is_said_while_the_machine_is_busy(self) -> None:
        # As if no moment was left to those who are to be heard within it.
        self.patch(module, "MOMENT", 0)
        await self.test_is_passed_on_what_is_said_within_a_moment()

    async def test_is_passed_on_what_waits_when_an_end_comes(self) -> None:
        self.patch(module, "MOMENT", 10)
        await self.begin(together=True)
        self.say(self.client, b"last words")
        self.client.transport.loseConnection()  # type: ignore[union-attr]
        self.assertEqual(await self.server.reception(10), b"last words")
        await self.all_over()

    async def test_leaves_nothing_waiting_when_it_is_over(self) -> None:
        self.patch(module, "MOMENT", 10)
        await self.begin(together=True)
        self.say(self.client, b"unheard")
        await self.turns(4)
        self.relay.reset()
        await self.all_over()

    async def turns(self, number: int) -> None:
        for _ in range(number):
            turn: Deferred[None] = Deferred()
            reactor.callLater(0, turn.callback, None)
            await turn
