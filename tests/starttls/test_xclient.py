from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.starttls.filter_contract import joined
from tests.starttls.transcripts import cut
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.names import Names
from tlsdemo.starttls.negotiation import Refuse, Say, Switch
from tlsdemo.starttls.xclient import LmtpXclient, SmtpXclient

ALL = b"250-XCLIENT NAME ADDR PROTO HELO PORT LOGIN DESTADDR DESTPORT"
CLIENT, SERVER = ("192.0.2.7", 4711), ("198.51.100.1", 25)
WELCOME = b"220-c\r\n220 d\r\n"
NAMES = Names("proxy.example")


class XclientTests(SynchronousTestCase):
    def exchange(
        self, *replies: bytes, xclient: SmtpXclient | None = None, size: int = 1 << 20
    ) -> list[object]:
        """What is said for these replies of a backend, each of which may come in pieces."""
        xclient = xclient or SmtpXclient(CLIENT, SERVER, NAMES)
        commands: list[object] = [*xclient.start()]
        for reply in replies:
            for piece in cut(reply, size):
                commands += xclient.receive(piece)
        return commands

    def test_it_says_the_client_s_address_once_it_knows_what_the_backend_accepts(self) -> None:
        attributes = b"NAME=[UNAVAILABLE] ADDR=192.0.2.7 PORT=4711"
        attributes += b" DESTADDR=198.51.100.1 DESTPORT=25"
        for size in (1, 2, 7, 1000):
            for offer in (joined(b"250-a", ALL, b"250 DSN"), joined(b"250-a", b"250 " + ALL[4:])):
                self.assertEqual(
                    self.exchange(joined(b"220-a", b"220 b"), offer, WELCOME, size=size),
                    [
                        Say(b"EHLO proxy.example\r\n"),
                        Say(b"XCLIENT " + attributes + b"\r\n"),
                        Switch(),
                    ],
                )

    def test_it_says_only_what_the_backend_accepts(self) -> None:
        for offer, said in {
            b"250-XCLIENT ADDR": b"ADDR=192.0.2.7",
            b"250-xclient port addr helo": b"ADDR=192.0.2.7 PORT=4711",
        }.items():
            _, request = self.exchange(
                joined(b"220 a"), joined(b"250-a", offer, b"250-DSN", offer, b"250 x")
            )
            self.assertEqual(request, Say(b"XCLIENT " + said + b"\r\n"))

    def test_addresses_of_ipv6(self) -> None:
        xclient = SmtpXclient(("2001:db8::7", 4711), ("2001:db8::1", 25))
        said = self.exchange(joined(b"220 a"), joined(ALL, b"250 x"), xclient=xclient)[1]
        assert isinstance(said, Say)
        self.assertIn(b" ADDR=IPV6:2001:db8::7 PORT=4711 DESTADDR=IPV6:2001:db8::1 ", said.data)

    def test_a_client_without_an_address(self) -> None:
        xclient = SmtpXclient(None, None)
        said = self.exchange(joined(b"220 a"), joined(ALL, b"250 x"), xclient=xclient)[1]
        assert isinstance(said, Say)
        self.assertEqual(said.data.count(b"=[UNAVAILABLE]"), 5)

    def test_what_follows_belongs_to_the_session(self) -> None:
        xclient = SmtpXclient(CLIENT, SERVER, NAMES)
        welcome = joined(b"220-c", b"220 d")
        said = self.exchange(
            joined(b"220 a"), joined(ALL, b"250 x"), welcome + b"421 busy", xclient=xclient
        )
        self.assertEqual((xclient.greeting, said[-1]), (welcome, Switch(injected=b"421 busy")))

    def test_lmtp(self) -> None:
        xclient = LmtpXclient(CLIENT, SERVER, NAMES)
        said = self.exchange(
            joined(b"220 a"), joined(b"250 XCLIENT ADDR"), WELCOME, xclient=xclient
        )
        self.assertEqual(
            said, [Say(b"LHLO proxy.example\r\n"), Say(b"XCLIENT ADDR=192.0.2.7\r\n"), Switch()]
        )

    def test_a_backend_that_does_not_go_along(self) -> None:
        none = "the backend does not offer us XCLIENT with ADDR"
        for replies, detail in (
            ((b"554 no",), "the backend's greeting is '554 no'"),
            ((b"SSH-2.0",), "the backend's greeting is 'SSH-2.0'"),
            ((b"220 a", b"250 a"), none),
            ((b"220 a", b"250-a\r\n250-XCLIENT NAME\r\n250 DSN"), none),
            ((b"220 a", b"250-a\r\n250-XCLIENTS ADDR\r\n250 DSN"), none),
            ((b"220 a", b"502 what"), "the backend answered the hello with '502 what'"),
            ((b"220 a", ALL + b"\r\n421 a"), "the backend answered the hello with '421 a'"),
            (
                (b"220 a", ALL + b"\r\n250 x", b"501 5.5.4 Bad ADDR syntax"),
                "the backend answered XCLIENT with '501 5.5.4 Bad ADDR syntax'",
            ),
        ):
            refused = self.exchange(*map(joined, replies))[-1]
            self.assertEqual(refused, Refuse(Cause.BACKEND_REFUSED, detail, b"QUIT\r\n"))

    def test_a_backend_that_never_ends(self) -> None:
        refused = self.exchange(joined(b"220 a"), b"250-" + b"x" * 5000)[-1]
        assert isinstance(refused, Refuse)
        self.assertIs(refused.cause, Cause.TOO_MUCH_PLAINTEXT)
