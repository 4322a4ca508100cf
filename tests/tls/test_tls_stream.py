from __future__ import annotations

from twisted.internet.interfaces import IHandshakeListener, IProtocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import MemoryTransport, RecordingListener
from tlsdemo.tls import StreamSetup, TLSStream, TransportOptions


class TLSStreamTests(SynchronousTestCase):
    def test_it_is_a_protocol_and_a_handshake_listener(self) -> None:
        cleartext = TLSStream(StreamSetup(RecordingListener([], None), TransportOptions()))
        for interface in (IProtocol, IHandshakeListener):
            verifyObject(interface, cleartext)
        self.assertEqual(cleartext.logPrefix(), "TLSStream")

    def test_it_requires_a_tls_connection(self) -> None:
        cleartext = TLSStream(StreamSetup(RecordingListener([], None), TransportOptions()))
        factory = TLSMemoryBIOFactory(CertificateOptions(), True, None, Clock())  # type: ignore[arg-type]
        layer = TLSMemoryBIOProtocol(factory, cleartext)
        error = self.assertRaises(TypeError, layer.makeConnection, MemoryTransport(layer))
        self.assertIn("is not a TLSConnection; use ServerTLS or ClientTLS", str(error))
