from __future__ import annotations

from ipaddress import ip_network

from tests.cli.refusals import RefusingCase
from tlsdemo.cli.proxy_protocol_options import networks
from tlsdemo.cli.server_options import ServerOptions
from tlsdemo.proxy.introduction import IntroductionName
from tlsdemo.proxy.proxy_header_factory import FROM_LOOPBACK, ProxyHeaderSettings

SMTP = "--dialect=smtp --backend=tcp:a:25"


class ProxyProtocolOptionsTests(RefusingCase):
    def parse(self, arguments: str = "") -> ServerOptions:
        options = ServerOptions()
        options.parseOptions(arguments.split())
        return options

    def test_the_flag_is_the_prefix_of_every_endpoint(self) -> None:
        for arguments, listen in {
            "--proxy-protocol": ["haproxy:tcp:8899:interface=127.0.0.1"],
            "--proxy-protocol --listen=tcp:1 --listen=haproxy:unix:a": [
                "haproxy:tcp:1",
                "haproxy:unix:a",
            ],
            "--listen=tcp:1 --listen=haproxy:tcp:2": ["tcp:1", "haproxy:tcp:2"],
        }.items():
            self.assertEqual(self.parse(arguments)["listen"], listen)

    def test_headers_are_accepted_from_the_loopback_interface_by_default(self) -> None:
        self.assertEqual(self.parse().proxy_headers(), FROM_LOOPBACK)

    def test_from_whom_headers_are_accepted_and_their_limits(self) -> None:
        options = self.parse(
            "--proxy-protocol --proxy-protocol-from=192.0.2.0/24,2001:db8::1 "
            "--proxy-protocol-timeout=9 --proxy-protocol-max=100"
        )
        trusted = ip_network("192.0.2.0/24"), ip_network("2001:db8::1/128")
        self.assertEqual(options.proxy_headers(), ProxyHeaderSettings(trusted, 9.0, 100))

    def test_networks(self) -> None:
        self.assertEqual(networks(" ::1, 0.0.0.0/0"), (ip_network("::1"), ip_network("0.0.0.0/0")))
        for text in ("", "a", "192.0.2.1/24", "192.0.2.0/24,"):
            problem = str(self.assertRaises(ValueError, networks, text))
            self.assertTrue(problem.startswith("not networks separated by commas ("), problem)

    def test_how_the_backend_is_told(self) -> None:
        self.assertIsNone(self.parse(SMTP)["backend-proxy"])
        for name in IntroductionName:
            options = self.parse(f"{SMTP} --backend-proxy={name.value}")
            self.assertIs(options["backend-proxy"], name)
        self.parse("--backend-proxy=none")

    def test_unsafe_demonstrations_stay_on_loopback(self) -> None:
        self.parse("--unsafe-injection --listen=haproxy:unix:a")
        self.refused(lambda: self.parse("--unsafe-injection --listen=haproxy:tcp:1"))

    def test_what_would_have_no_effect_or_cannot_work(self) -> None:
        for arguments, expected in {
            "--proxy-protocol-from=10.0.0.0/8": "--proxy-protocol-from is given, and no header is "
            "expected; add --proxy-protocol",
            "--proxy-protocol-from=10.0.0.1/8": "--proxy-protocol-from is '10.0.0.1/8', not "
            "networks separated by commas (10.0.0.1/8 has host bits set)",
            "--proxy-protocol-timeout=-1": "--proxy-protocol-timeout is '-1', not between",
            "--proxy-protocol-max=15": "--proxy-protocol-max is '15', not between 16 and 131,072",
            "--listen=haproxy:x": "--listen is 'haproxy:x', not an endpoint string",
            "--status=haproxy:tcp:1": "--status is 'haproxy:tcp:1', and it takes no header of the "
            "PROXY protocol; leave haproxy: away",
            "--backend-proxy=v3": "--backend-proxy is 'v3', none of none, v1, v2, xclient",
            "--backend-proxy=v1": "--backend-proxy=v1 needs --backend",
            "--backend=tcp:a:1 --dialect=imap --backend-proxy=xclient": "--backend-proxy is "
            "xclient, and --dialect is imap; use v1 or v2, or --dialect=smtp or lmtp",
        }.items():
            message = self.refused(lambda each=arguments: self.parse(each))  # type: ignore[misc]
            self.assertTrue(message.startswith(f"twistd tlsdemo: {expected}"), message)
