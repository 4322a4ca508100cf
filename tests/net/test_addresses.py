from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.addresses import address_text, endpoint_text

IPV4 = IPv4Address("TCP", "192.0.2.1", 25)
IPV6 = IPv6Address("TCP", "2001:db8::1", 25)


class AddressText(SynchronousTestCase):
    def test_tells_one_end_of_a_connection_from_all_others(self) -> None:
        self.assertEqual(address_text(IPV4), "192.0.2.1:25")
        self.assertEqual(address_text(IPV6), "[2001:db8::1]:25")

    def test_is_how_other_addresses_print(self) -> None:
        other = HostnameAddress(b"example.org", 25)
        self.assertEqual(address_text(other), str(other))


class EndpointText(SynchronousTestCase):
    def connect(self, address: IPv4Address | IPv6Address | UNIXAddress) -> MemoryReactorClock:
        reactor = MemoryReactorClock()
        clientFromString(reactor, endpoint_text(address)).connect(Factory())
        return reactor

    def test_leads_to_the_port(self) -> None:
        for address in (IPV4, IPV6):
            (connected,) = self.connect(address).tcpClients
            self.assertEqual(connected[:2], (address.host, address.port))

    def test_leads_to_a_unix_socket_also_with_a_colon_in_its_name(self) -> None:
        (connected,) = self.connect(UNIXAddress(b"/run/a:b.sock")).unixClients
        self.assertEqual(connected[0], "/run/a:b.sock")

    def test_is_written_as_a_user_would(self) -> None:
        self.assertEqual(endpoint_text(IPV4), "tcp:192.0.2.1:25")
        self.assertEqual(endpoint_text(UNIXAddress(b"/run/x")), "unix:/run/x")
        self.assertEqual(endpoint_text(UNIXAddress(None)), "unix:")

    def test_refuses_what_it_cannot_lead_to(self) -> None:
        error = self.assertRaises(ValueError, endpoint_text, HostnameAddress(b"example.org", 25))
        self.assertIn("neither of TCP nor of a UNIX socket", str(error))
