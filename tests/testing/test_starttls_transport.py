from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import ISSLTransport, ITLSTransport
from twisted.internet.ssl import PrivateCertificate, optionsForClientTLS
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tlsdemo.testing import (
    Recorder,
    RecordingProducer,
    SSLPeer,
    StartTLSTransport,
    pump,
    temporary_certificates,
)


def server_options() -> Any:
    files = temporary_certificates().server
    assert files.certificate is not None
    assert files.key is not None
    return PrivateCertificate.loadPEM(
        files.certificate.read_bytes() + files.key.read_bytes()
    ).options()


class AServer(SynchronousTestCase):
    """A server that has started TLS with a client of the standard library."""

    def setUp(self) -> None:
        self.protocol = Recorder()
        self.transport = StartTLSTransport(self.protocol)
        self.transport.connect()
        self.transport.startTLS(server_options())
        self.client = SSLPeer.client()
        self.protocol.log.clear()

    def secure(self) -> None:
        pump(self.transport, self.client)
        self.assertTrue(self.client.complete, self.client.error)

    def test_provides_the_interfaces_before_and_after(self) -> None:
        verifyObject(ITLSTransport, StartTLSTransport())
        self.assertTrue(ISSLTransport.providedBy(self.transport))

    def test_does_not_start_tls_by_itself(self) -> None:
        transport = StartTLSTransport(Recorder())
        transport.connect()
        transport.write(b"plain")
        transport.writeSequence([b" ", b"text"])
        self.assertEqual(transport.take(), b"plain text")

    def test_receives_cleartext_by_the_record(self) -> None:
        self.secure()
        self.client.write(b"one", b"two")
        pump(self.transport, self.client)
        self.assertEqual(self.protocol.log, [b"one", b"two"])

    def test_encrypts_what_the_protocol_writes(self) -> None:
        self.secure()
        self.transport.write(b"one")
        self.transport.writeSequence([b"two", b"three"])
        wire = self.transport.take()
        self.assertEqual(wire[0], 23)  # application data, RFC 8446, section 5.1
        self.client.deliver(wire)
        self.assertEqual(self.client.received, b"onetwothree")

    def test_closes_with_close_notify_in_both_directions(self) -> None:
        self.secure()
        self.transport.loseConnection()
        self.transport.loseConnection()
        pump(self.transport, self.client)
        self.assertTrue(self.client.closed)
        self.assertTrue(self.transport.connected)
        self.client.close()
        pump(self.transport, self.client)
        self.assertEqual(self.protocol.log, ["lost: ConnectionDone"])
        self.assertFalse(self.client.connected)

    def test_has_the_tls_layer_pace_a_producer(self) -> None:
        self.secure()
        self.transport.registerProducer(RecordingProducer(), True)
        self.assertIsNot(type(self.transport.producer), RecordingProducer)
        self.transport.unregisterProducer()
        self.assertIsNone(self.transport.producer)

    def test_keeps_a_producer_that_was_registered_before(self) -> None:
        transport, producer = StartTLSTransport(Recorder()), RecordingProducer()
        transport.connect()
        transport.registerProducer(producer, True)
        self.assertIs(transport.producer, producer)
        transport.unregisterProducer()
        self.assertIsNone(transport.producer)

    def test_ignores_what_is_written_after_the_end(self) -> None:
        self.secure()
        self.transport.abortConnection()
        self.transport.turn()
        self.transport.write(b"too late")
        self.transport.loseConnection()
        self.assertEqual(self.transport.take(), b"")
        # Not ConnectionAborted: Twisted's TLS layer replaces the reason.
        self.assertEqual(self.protocol.log, ["lost: ConnectionLost"])


class TheOtherDirection(SynchronousTestCase):
    def test_a_client_sends_the_client_hello(self) -> None:
        transport = StartTLSTransport(Recorder(), is_client=True)
        transport.connect()
        transport.startTLS(optionsForClientTLS("localhost"))
        self.assertEqual(transport.take()[0], 22)  # handshake, RFC 8446, section 5.1

    def test_a_server_sends_it_if_the_direction_is_not_normal(self) -> None:
        transport = StartTLSTransport(Recorder())
        transport.connect()
        transport.startTLS(optionsForClientTLS("localhost"), normal=False)
        self.assertEqual(transport.take()[0], 22)
