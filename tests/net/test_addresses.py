from twisted.internet.address import HostnameAddress, IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.endpoints import clientFromString
from twisted.internet.protocol import Factory
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.addresses import address_text, endpoint_text, page_address

IPV4 = IPv4Address("TCP", "192.0.2.1", 25)
IPV6 = IPv6Address("TCP", "2001:db8::1", 25)


class AddressText(SynchronousTestCase):
    def test_identifies_one_end_of_a_connection(self) -> None:
        self.assertEqual(address_text(IPV4), "192.0.2.1:25")
        self.assertEqual(address_text(IPV6), "[2001:db8::1]:25")

    def test_of_another_kind_of_address_is_its_str(self) -> None:
        other = HostnameAddress(b"example.org", 25)
        self.assertEqual(address_text(other), str(other))


class PageAddress(SynchronousTestCase):
    def test_is_what_a_browser_can_open(self) -> None:
        self.assertEqual(page_address(IPV4), "http://192.0.2.1:25/")
        self.assertEqual(page_address(IPV6, secure=True), "https://[2001:db8::1]:25/")

    def test_of_all_interfaces_is_that_of_this_machine(self) -> None:
        self.assertEqual(page_address(IPv4Address("TCP", "0.0.0.0", 80)), "http://127.0.0.1:80/")
        self.assertEqual(page_address(IPv6Address("TCP", "::", 80)), "http://[::1]:80/")

    def test_of_a_unix_socket_is_its_endpoint_string(self) -> None:
        self.assertEqual(page_address(UNIXAddress(b"/run/x")), "unix:/run/x")


class EndpointText(SynchronousTestCase):
    def connect(self, address: IPv4Address | IPv6Address | UNIXAddress) -> MemoryReactorClock:
        reactor = MemoryReactorClock()
        clientFromString(reactor, endpoint_text(address)).connect(Factory())
        return reactor

    def test_connects_to_the_port(self) -> None:
        for address in (IPV4, IPV6):
            (connected,) = self.connect(address).tcpClients
            self.assertEqual(connected[:2], (address.host, address.port))

    def test_connects_to_a_unix_socket_even_with_a_colon_in_its_path(self) -> None:
        (connected,) = self.connect(UNIXAddress(b"/run/a:b.sock")).unixClients
        self.assertEqual(connected[0], "/run/a:b.sock")

    def test_is_written_as_a_user_would(self) -> None:
        self.assertEqual(endpoint_text(IPV4), "tcp:192.0.2.1:25")
        self.assertEqual(endpoint_text(UNIXAddress(b"/run/x")), "unix:/run/x")
        self.assertEqual(endpoint_text(UNIXAddress(None)), "unix:")

    def test_rejects_an_address_that_has_no_endpoint_string(self) -> None:
        error = self.assertRaises(ValueError, endpoint_text, HostnameAddress(b"example.org", 25))
        self.assertIn("neither of a TCP nor of a UNIX socket", str(error))
