from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import inlineCallbacks
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.interfaces import (
    IStreamClientEndpointStringParserWithReactor,
    IStreamServerEndpointStringParser,
)
from twisted.internet.protocol import Factory
from twisted.plugin import getPlugins
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.support import certificates
from tests.tls.test_upgrade_endpoints import Echo, EndpointCase
from tlsdemo.tls import Insecure, UnusableCredentials, UpgradeClientEndpoint
from tlsdemo.tls.upgrade_endpoint_strings import ClientParser, ServerParser


def files(credentials: Any) -> str:
    return f"certificate={credentials.certificate}:privateKey={credentials.key}"


class EndpointStringTests(EndpointCase):
    @inlineCallbacks
    def test_strings_are_all_that_a_program_needs(self) -> Any:
        own = certificates()
        for dialect, mode in (("smtp", "pair"), ("postgres", "starttls")):
            port = yield self.listen(
                serverFromString(
                    reactor,
                    rf"starttls:{dialect}:tcp:0:interface=127.0.0.1:mode={mode}:"
                    rf"{files(own.server)}:trustRoots={own.authority}",
                ),
                Factory.forProtocol(Echo),
            )
            client = (
                f"starttls:{dialect}:tcp:127.0.0.1:{port}:timeout=5:serverName=localhost:"
                f"trustRoots={own.authority}:mode={mode}"
            )
            answer = yield self.asked(clientFromString(reactor, f"{client}:{files(own.client)}"))
            self.assertEqual(answer, b"hello")
            # As there are trust roots, the server demands a certificate.
            without = clientFromString(reactor, client)
            asker = yield without.connect(Factory.forProtocol(Echo))
            self.assertIsNotNone(asker.transport)
            asker.transport.abortConnection()

    @inlineCallbacks
    def test_a_client_verifies_the_host_by_default(self) -> Any:
        own = certificates()
        port = yield self.listen(
            serverFromString(
                reactor, f"starttls:line:tcp:0:interface=127.0.0.1:{files(own.server)}"
            ),
            Factory.forProtocol(Echo),
        )
        client = clientFromString(reactor, f"starttls:line:tcp:localhost:{port}")
        # The system does not trust the authority of the tests.
        yield self.assertFailure(client.connect(Factory.forProtocol(Echo)), Insecure)


class ParserTests(SynchronousTestCase):
    def test_twisted_finds_the_parsers(self) -> None:
        interface: Any
        for interface, kind in (
            (IStreamClientEndpointStringParserWithReactor, ClientParser),
            (IStreamServerEndpointStringParser, ServerParser),
        ):
            found = [each for each in getPlugins(interface) if each.prefix == "starttls"]
            self.assertEqual([type(each) for each in found], [kind])
            verifyObject(interface, found[0])

    def test_what_is_wrong_is_said(self) -> None:
        own = certificates()
        for make, text, words in (
            (clientFromString, "starttls:smtp", "needs a dialect and an endpoint"),
            (clientFromString, "starttls:gopher:tcp:h:70", "the dialect is 'gopher', none of"),
            (clientFromString, "starttls:smtp:unix:/nowhere", "Add serverName=NAME"),
            (clientFromString, "starttls:smtp:tcp:h:25:mode=clear", "mode is 'clear', neither"),
            (serverFromString, "starttls:smtp:tcp:25", "a server needs certificate=FILE"),
            (serverFromString, "starttls:smtp:tcp:25:certificate=x", "needs privateKey=FILE"),
            (
                serverFromString,
                f"starttls:smtp:tcp:25:{files(own.server)}:clientAuth=maybe",
                "'maybe' is not a valid ClientAuth",
            ),
        ):
            with self.subTest(text=text):
                error = self.assertRaises(ValueError, make, reactor, text)
                self.assertIn(words, str(error))

    def test_files_that_cannot_be_used_are_named(self) -> None:
        text = "starttls:smtp:tcp:25:certificate=/nowhere/a.pem:privateKey=/nowhere/a.key"
        error = self.assertRaises(UnusableCredentials, serverFromString, reactor, text)
        self.assertIn("No such file or directory: '/nowhere/a.pem'", str(error))

    def test_the_inner_endpoint_gets_the_rest_as_it_was(self) -> None:
        text = r"starttls:smtp:tcp:host=2001\:db8\:\:1:port=25:timeout=7:bindAddress=\=x"
        endpoint = clientFromString(reactor, text)
        self.assertIsInstance(endpoint, UpgradeClientEndpoint)
