"""A line server with STARTTLS, and tests that pin what happens on its connections.

Run them, in this folder:  python -m twisted.trial pinned_server
Pin what happens now:      TLSDEMO_UPDATE_PINS=1 python -m twisted.trial pinned_server
"""

from twisted.internet.protocol import Factory
from twisted.protocols.basic import LineReceiver
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.testing import temporary_certificates
from tlsdemo.testing.pins import EventPins
from tlsdemo.tls import ClientAuth, Insecure, ServerTLS, UpgradeMixin


class Server(UpgradeMixin, LineReceiver):
    """Says every line back in capitals, and starts TLS if a client asks for it."""

    tls = ServerTLS.build(temporary_certificates().server, ClientAuth.NONE)

    def lineReceived(self, line):
        if line == b"STARTTLS" and not self.connection_info:
            self.sendLine(b"OK")
            self.start_tls(self.tls).addErrback(lambda failure: failure.trap(Insecure))
        else:
            self.sendLine(line.upper())


class ServerTests(EventPins, SynchronousTestCase):
    """If another release of Twisted or OpenSSL changes something for this server, one fails."""

    def check(self, scenario, pin, **more):
        factory = Factory.forProtocol(Server)
        self.assertEvents(
            factory, scenario, f"pins/{pin}.json", dialect="line", question=b"hello\r\n", **more
        )

    def test_a_connection_that_goes_well(self):
        self.check("ok", "ok")

    def test_a_connection_that_is_cut(self):
        self.check("truncation", "truncation")

    def test_a_command_injected_behind_the_request_for_tls(self):
        self.check("injection behind the request", "injection", injected=b"delete\r\n")
