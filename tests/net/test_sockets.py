from __future__ import annotations

import errno
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactor
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.sockets import bound_buffers, without_delay


class WithoutDelay(SynchronousTestCase):
    def test_is_set_on_a_transport_that_has_the_option(self) -> None:
        asked: list[bool] = []

        class Tcp:
            def setTcpNoDelay(self, enabled: bool) -> None:
                asked.append(enabled)

        without_delay(Tcp())
        without_delay(object())
        self.assertEqual(asked, [True])

    def test_is_left_on_a_socket_that_has_no_such_option(self) -> None:
        class Local:
            """As a UNIX client of Twisted 24.7."""

            def setTcpNoDelay(self, _enabled: bool) -> None:
                raise OSError(errno.EOPNOTSUPP, "Operation not supported")

        without_delay(Local())


class BoundBuffers(SynchronousTestCase):
    def test_are_half_for_writing_and_half_for_one_read(self) -> None:
        transport: Any = FileDescriptor(MemoryReactor())
        bound_buffers(transport, 9001)
        self.assertEqual(transport.bufferSize, 4500)

    def test_are_those_of_the_transport_below_tls(self) -> None:
        transport: Any = FileDescriptor(MemoryReactor())
        above, far_above = Protocol(), Protocol()
        above.transport, far_above.transport = transport, above  # type: ignore[assignment]
        bound_buffers(far_above, 8)
        self.assertEqual(transport.bufferSize, 4)

    def test_are_unchanged_without_a_socket(self) -> None:
        for transport in (object(), Protocol()):
            bound_buffers(transport, 8)
            self.assertFalse(hasattr(transport, "bufferSize"))
