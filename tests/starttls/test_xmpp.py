from __future__ import annotations

from tests.starttls import binary_contract as binary
from tests.starttls.transcripts import TranscriptTestCase, cut, rendered
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.negotiation import MAX_LINE, Refuse, Say, Switch
from tlsdemo.starttls.xmpp import XmppClient, XmppServer

STREAM = '<stream:stream xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams"'
HEADER = f'<?xml version="1.0"?>{STREAM} version="1.0"'
TLS = 'xmlns="urn:ietf:params:xml:ns:xmpp-tls"'
OFFER = f"<stream:features><starttls {TLS}><required/></starttls></stream:features>"
OPENED = f'{HEADER} to="localhost">'
ANSWER = f'{HEADER} id="tlsdemo" from="localhost">{OFFER}'
STARTTLS = f"<starttls {TLS}/>"
PROCEED = f"<proceed {TLS}/>"
CLOSED = "</stream:stream>"


def error(condition: str) -> str:
    """A stream error, which ends the stream."""
    of_streams = 'xmlns="urn:ietf:params:xml:ns:xmpp-streams"'
    return f"<stream:error><{condition} {of_streams}/></stream:error>{CLOSED}"


class BothTests(TranscriptTestCase):
    def test_agree(self) -> None:
        self.check_conversation(
            XmppClient,
            XmppServer,
            f"""
            C+ {OPENED}
            S+ {ANSWER}
            C+ {STARTTLS}
            S+ {PROCEED}
            S* TLS
            C* TLS
            """,
        )


class ServerTests(binary.Server):
    negotiation = XmppServer
    sent = (OPENED.encode(), STARTTLS.encode())
    key = b"starttls"
    others = (b"<iq/>", b"<a b='>'>", b"<!-- -->", b"</a>", CLOSED.encode(), b"\n", b"text")

    def check_opened(self, first: str, answer: str, refusal: str) -> None:
        """What is refused when the client has opened nothing yet."""
        opening = f'{HEADER} id="tlsdemo">'
        self.check(XmppServer(), f"C+ {first}\nS+ {opening}{answer}\nS* {refusal}")

    def check_then(self, second: str, answer: str, refusal: str) -> None:
        """What is refused when the client has opened its stream."""
        self.check(
            XmppServer(),
            f"C+ {OPENED}\nS+ {ANSWER}\nC+ {second}\nS+ {answer}\nS* {refusal}",
        )

    def test_answers_with_its_id_and_the_addresses_of_the_stream(self) -> None:
        self.check(
            XmppServer(stream_id='"4&2'),
            f"""
            C+ {HEADER} from="juliet@x" to="a&amp;b">
            S+ {HEADER} id='"4&amp;2' from="a&amp;b" to="juliet@x">{OFFER}
            """.replace("""id='"4""", r"""id=\'"4""").replace("""2' from""", r"""2\' from"""),
        )
        self.check(
            XmppServer(),
            f"""
            C+ {HEADER}>
            S+ {HEADER} id="tlsdemo">{OFFER}
            """,
        )

    def test_accepts_a_server_as_its_client(self) -> None:
        self.check(
            XmppServer(),
            f"""
            C+ {HEADER.replace("client", "server")}>
            S+ {HEADER.replace("client", "server")} id="tlsdemo">{OFFER}
            C+ {STARTTLS}
            S+ {PROCEED}
            S* TLS
            """,
        )

    def test_accepts_white_space_between_elements_and_every_form_of_xml(self) -> None:
        for starttls in (
            rf"\n\t {STARTTLS}",
            f"<starttls  {TLS} ></starttls >",
            "<t:starttls xmlns:t='urn:ietf:params:xml:ns:xmpp-tls' />",
            rf"<starttls {TLS}>\n</starttls>",
            f"<starttls {TLS} a='>>'/>",
        ):
            self.check(
                XmppServer(),
                rf"""
                C+ \n{STREAM} version="1.0" to="localhost">\r
                S+ {ANSWER}
                C+ {starttls}
                S+ {PROCEED}
                S* TLS
                """,
            )

    def test_refuses_white_space_after_the_request(self) -> None:
        self.check_then(
            rf"{STARTTLS}\n",
            error("policy-violation"),
            "injected plaintext: 1 bytes arrived after the last message before TLS",
        )

    def test_passes_every_byte_of_a_client_hello_on_to_tls(self) -> None:
        hello = b"\x16\x03\x01>/><"
        for size in (1, 7, 100, 1000):
            negotiation = XmppServer()
            commands = [
                command
                for piece in cut(self.whole, size)[:-1]
                for command in negotiation.receive(piece)
            ]
            rest = cut(self.whole, size)[-1]
            commands += negotiation.receive(rest + hello)
            expected = [Say(ANSWER.encode()), Say(PROCEED.encode()), Switch(leftover=hello)]
            self.assertEqual(commands, expected)

    def test_refuses_every_other_element_in_plaintext(self) -> None:
        for element, name in (
            ("<iq type='get'><query xmlns='jabber:iq:auth'/></iq>", "iq"),
            ("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>AGEAYg==</auth>", "auth"),
            ("<starttls/>", "starttls"),
            ("<a><b><c/></b></a>", "a"),
            (f"text{STARTTLS}", "text"),
            (f"<![CDATA[text]]>{STARTTLS}", "text"),
            (f"&lt;{STARTTLS}", "text"),
        ):
            self.check_then(
                element,
                error("policy-violation"),
                f"plain bytes instead of TLS: the client sent '{name}' in plaintext",
            )

    def test_refuses_a_starttls_that_is_not_empty(self) -> None:
        for content in ("<required/>", "text", "<![CDATA[x]]>"):
            self.check_then(
                f"<starttls {TLS}>{content}</starttls>",
                f"<failure {TLS}/>{CLOSED}",
                "protocol error: the client's starttls is not empty",
            )

    def test_closes_after_a_client_that_closes_its_stream(self) -> None:
        refusal = "probe: the peer closed its stream"
        self.check_then(CLOSED, CLOSED, refusal)
        self.check_opened(f'{STREAM} version="1.0"/>', CLOSED, refusal)

    def test_refuses_versions_before_1_0(self) -> None:
        for version in ("", " version='0.9'", " version=''", " version='x.1'"):
            self.check(
                XmppServer(),
                f"""
                C+ {STREAM} to="localhost"{version}>
                S+ {HEADER} id="tlsdemo" from="localhost">{error("unsupported-version")}
                S* protocol error: the version of the client's stream is before 1.0
                """,
            )

    def test_refuses_streams_that_are_not_xmpp(self) -> None:
        for first, name in (
            ("<html>", "html"),
            (STREAM.replace("jabber:client", "jabber:component:accept") + ">", "stream"),
            ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>", "stream"),
            ("<stream xmlns='jabber:client'>", "stream"),
            ("<stream xmlns=''>", "stream"),
        ):
            self.check_opened(
                first,
                error("invalid-namespace"),
                f"protocol error: '{name}' does not open an XMPP stream",
            )

    def test_refuses_anything_but_xml_at_the_first_byte(self) -> None:
        for first in ("G", r"\x16", r"\n\x00", "&", r"\xef\xbb\xbf<", ">"):
            self.check_opened(
                first,
                error("not-well-formed"),
                "protocol error: not XML: 'it does not begin with a tag'",
            )

    def test_refuses_what_is_not_well_formed(self) -> None:
        for second, why in (
            (b"<a></b>", "mismatched tag"),
            (b"<a b=c>", "not well-formed (invalid token)"),
            (b"\xff<a>", "not well-formed (invalid token)"),
            (b"<a:b/>", "unbound prefix"),
            (b"&nbsp;<a/>", "undefined entity"),
        ):
            negotiation = XmppServer()
            negotiation.receive(OPENED.encode())
            (refuse,) = negotiation.receive(second)
            assert isinstance(refuse, Refuse)
            self.assertEqual(refuse.data, error("not-well-formed").encode())
            self.assertIn(f"not XML: '{why}: line 1, column ", refuse.detail)

    def test_refuses_comments_instructions_and_document_types(self) -> None:
        for second, what in (("<!-- x -->", "a comment"), ("<?php x?>", "an instruction")):
            refusal = f"protocol error: '{what}' is not allowed in XMPP"
            self.check_then(second, error("restricted-xml"), refusal)
            self.check_opened(second, error("restricted-xml"), refusal)

    def test_refuses_a_document_type_before_its_entities_are_used(self) -> None:
        for first in (
            "<!DOCTYPE a>",
            "<!DOCTYPE a SYSTEM 'file:///etc/passwd'>",
            "<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bb'><!ENTITY c '&b;&b;'>]>",
            "<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://localhost/'> %p;]>",
        ):
            self.check_opened(
                first,
                error("restricted-xml"),
                "protocol error: 'a document type' is not allowed in XMPP",
            )

    def test_reads_utf_8_whatever_the_client_declares(self) -> None:
        negotiation = XmppServer()
        (say,) = negotiation.receive(
            OPENED.replace("?>", " encoding='UTF-16'?>").replace("localhost", "\xe9").encode()
        )
        assert isinstance(say, Say)
        self.assertIn('from="\xe9"'.encode(), say.data)
        for encoding in ("utf-16", "utf-32"):
            (refuse,) = XmppServer().receive(OPENED.encode(encoding))
            assert isinstance(refuse, Refuse)
            self.assertEqual(refuse.cause, Cause.PROTOCOL_ERROR)

    def test_limits_the_depth_of_elements(self) -> None:
        self.check_then(
            "<a>" * 7 + "</a>" * 7,
            error("policy-violation"),
            "plain bytes instead of TLS: the client sent 'a' in plaintext",
        )
        self.check_then(
            "<a>" * 8,
            error("policy-violation"),
            "too much before TLS: elements are nested too deeply",
        )

    def check_bounded(self, endless: bytes, most: int, negotiation: XmppServer) -> None:
        for piece in cut(endless[: most - 1], 40):
            self.assertEqual(negotiation.receive(piece), [])
        self.assertEqual(
            rendered("S", negotiation.receive(endless[most - 1 : most])),
            [
                f"S+ {error('policy-violation')}",
                "S* too much before TLS: a tag or a text is too long",
            ],
        )

    def test_limits_a_tag_and_a_text(self) -> None:
        for endless in (b"<aaa", b"    ", b"text", b"<a b='>>>>", b"<![CDATA[>>", b"a>"):
            endless += endless[-1:] * MAX_LINE
            negotiation = XmppServer()
            negotiation.receive(OPENED.encode() + b"<a>")
            self.check_bounded(endless, MAX_LINE, negotiation)

    def test_limits_a_tag_to_max_line(self) -> None:
        negotiation = XmppServer(max_line=200)
        negotiation.receive(OPENED.encode())
        self.check_bounded(b" " * 150 + b"<" + b"a" * 49, 200, negotiation)

    def test_limits_what_comes_before_the_stream(self) -> None:
        refuse = XmppServer().receive(b"\n" * MAX_LINE)[0]
        assert isinstance(refuse, Refuse)
        self.assertEqual(refuse.cause, Cause.TOO_MUCH_PLAINTEXT)


class ClientTests(binary.Client):
    negotiation = XmppClient
    sent = (ANSWER.encode(), PROCEED.encode())
    key = b"proceed"
    others = (b"<a/>", b"<a b='>'>", b"</a>", CLOSED.encode(), b"\n", f"<failure {TLS}/>".encode())

    def check_refuses(self, first: str, refusal: str, last: str = CLOSED) -> None:
        self.check(XmppClient(), f"C+ {OPENED}\nS+ {first}\nC+ {last}\nC* {refusal}")

    def check_then(self, second: str, refusal: str, last: str = CLOSED) -> None:
        self.check(
            XmppClient(),
            f"C+ {OPENED}\nS+ {ANSWER}\nC+ {STARTTLS}\nS+ {second}\nC+ {last}\nC* {refusal}",
        )

    def test_names_the_domain_that_it_connects_to(self) -> None:
        self.check(XmppClient(to="a&b"), f'C+ {HEADER} to="a&amp;b">')

    def test_accepts_white_space_between_elements(self) -> None:
        self.check(
            XmppClient(),
            rf"""
            C+ {OPENED}
            S+ {HEADER}>\n <stream:features>\n <a/><starttls {TLS}/></stream:features>\r\n
            C+ {STARTTLS}
            S+ \n{PROCEED}
            C* TLS
            """,
        )

    def test_refuses_a_server_without_tls(self) -> None:
        refusal = "peer offers no TLS: the server does not offer starttls"
        for features in (
            "<stream:features/>",
            "<stream:features>starttls</stream:features>",
            "<stream:features><starttls/></stream:features>",
            f"<stream:features><a><starttls {TLS}/></a></stream:features>",
        ):
            self.check_refuses(f"{HEADER}>{features}", refusal)
        self.check_refuses(
            f"{STREAM}>", "peer offers no TLS: the version of the server's stream is before 1.0"
        )

    def test_refuses_a_server_that_answers_failure(self) -> None:
        self.check_then(
            f"<failure {TLS}/>", "peer refused TLS: the server answered starttls with failure"
        )

    def test_refuses_a_server_that_closes_its_stream(self) -> None:
        refusal = "peer refused TLS: the peer closed its stream"
        self.check_then(CLOSED, refusal)
        self.check_refuses(f"{HEADER}>{CLOSED}", refusal)
        self.check_refuses(f"{HEADER}/>", refusal)

    def test_quotes_an_error_of_the_server(self) -> None:
        refusal = "peer refused TLS: the server sent the error '{}'"
        for said, condition in (
            (error("host-unknown"), "host-unknown"),
            (r"<stream:error>\n <a/> <text>sorry</text></stream:error>", "a"),
            ("<stream:error/>", "unknown"),
        ):
            self.check_refuses(f"{HEADER}>{said}", refusal.format(condition))
            self.check_then(said, refusal.format(condition))

    def test_refuses_unexpected_elements(self) -> None:
        refusal = "protocol error: the server sent an unexpected '{}'"
        self.check_refuses("<html>", refusal.format("html"))
        self.check_refuses(f"{HEADER}><message/>", refusal.format("message"))
        self.check_refuses(f"{HEADER}>text{OFFER}", refusal.format("text"))
        self.check_refuses(f"{HEADER}>{PROCEED}", refusal.format("proceed"))
        self.check_then(OFFER, refusal.format("features"))
        self.check_then("<proceed/>", refusal.format("proceed"))
        self.check_then(STARTTLS, refusal.format("starttls"))

    def test_refuses_a_go_ahead_that_came_with_the_offer(self) -> None:
        self.check(
            XmppClient(),
            f"""
            C+ {OPENED}
            S+ {ANSWER}{PROCEED}
            C+ {STARTTLS}
            C+ {CLOSED}
            C* injected plaintext: 50 bytes arrived before the command that they answer
            """,
        )

    def test_refuses_a_server_that_does_not_speak_xmpp(self) -> None:
        self.check_refuses(
            "220",
            "protocol error: not XML: 'it does not begin with a tag'",
            error("not-well-formed"),
        )
        self.check_then(
            "<!-- -->",
            "protocol error: 'a comment' is not allowed in XMPP",
            error("restricted-xml"),
        )
        for second, refusal in (
            ("<a>" * 8, "too much before TLS: elements are nested too deeply"),
            ("<" + "a" * MAX_LINE, "too much before TLS: a tag or a text is too long"),
        ):
            self.check_then(second, refusal, error("policy-violation"))
