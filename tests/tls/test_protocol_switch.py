from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.support import MemoryTransport
from tlsdemo.tls.protocol_switch import replace_protocol


class ReplaceProtocolTests(SynchronousTestCase):
    def test_a_transport_delivers_to_the_new_protocol(self) -> None:
        transport = MemoryTransport("old")
        replace_protocol(transport, "new")
        self.assertEqual(transport.protocol, "new")

    def test_a_wrapper_delivers_to_the_new_protocol(self) -> None:
        old: Any = Protocol()
        wrapper: Any = ProtocolWrapper(WrappingFactory(Factory()), old)
        below = MemoryTransport(wrapper)
        wrapper.makeConnection(below)
        replace_protocol(wrapper, "new")
        self.assertEqual(wrapper.wrappedProtocol, "new")
        self.assertIs(below.protocol, wrapper)

    def test_a_transport_without_a_protocol_is_refused(self) -> None:
        error = self.assertRaises(TypeError, replace_protocol, StringTransport(), "new")
        self.assertIn("has no protocol or wrappedProtocol", str(error))
