from __future__ import annotations

from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.sockets import bound_buffers, without_delay


class WithoutDelay(SynchronousTestCase):
    def test_is_asked_of_a_transport_that_has_it(self) -> None:
        asked: list[bool] = []

        class Tcp:
            def setTcpNoDelay(self, enabled: bool) -> None:
                asked.append(enabled)

        without_delay(Tcp())
        without_delay(object())
        self.assertEqual(asked, [True])


class BoundBuffers(SynchronousTestCase):
    def test_are_half_for_a_read_and_half_for_who_has_to_wait(self) -> None:
        transport: Any = FileDescriptor(MemoryReactor())
        bound_buffers(transport, 9001)
        self.assertEqual(transport.bufferSize, 4500)

    def test_are_those_of_the_socket_below_tls(self) -> None:
        transport: Any = FileDescriptor(MemoryReactor())
        above, far_above = Protocol(), Protocol()
        above.transport, far_above.transport = transport, above  # type: ignore[assignment]
        bound_buffers(far_above, 8)
        self.assertEqual(transport.bufferSize, 4)

    def test_are_left_alone_where_there_is_no_socket(self) -> None:
        for transport in (object(), Protocol()):
            bound_buffers(transport, 8)
            self.assertFalse(hasattr(transport, "bufferSize"))
