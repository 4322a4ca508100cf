from __future__ import annotations

import zlib

from twisted.trial.unittest import SynchronousTestCase

from tests.starttls import filter_contract as contracts
from tests.starttls.filter_contract import BACKEND, CLIENT, LONG, joined
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.starttls.imap import ImapFilter, literal_size

OFFERS = b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n"
GO_ON = b"+ go on\r\n"
IMAP4REV2 = b"a OK [CAPABILITY IMAP4rev2] hi"
INSIDE = OFFERS + b"* OK [CAPABILITY STARTTLS] x\r\na STARTTLS\r\n"


def same(who: str, sent: bytes) -> tuple[str, bytes, bytes]:
    """Something that passes unchanged."""
    return who, sent, sent


class ImapFilterTests(contracts.Contract):
    protocol_filter = ImapFilter
    greeting = b"* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n"
    passed_greeting = b"* OK [CAPABILITY IMAP4rev1] ready\r\n"
    rejection = b"* BYE go away"
    fragments = (
        OFFERS, b"* CAPABILITY ", b"STARTTLS", b"a STARTTLS", b"a OK [CAPABILITY ", b"] x", b"{7}",
        b"{7+}", b"~{3}", b"\r\n", b"* 1 FETCH ", b"{0}\r\n", b"a {5}\r\n", GO_ON, b"a NO x\r\n",
        b"* CAPABILITY LITERAL+\r\n", b"\0", b"a COMPRESS DEFLATE\r\n", b"a OK x\r\n",
    )  # fmt: skip

    def test_fails_if_the_backend_greets_with_preauth(self) -> None:
        preauth = b"* PREAUTH welcome\r\n"
        self.assertRaises(FilterFailed, ImapFilter().from_backend, preauth)
        self.assertEqual(ImapFilter(greeted=False).from_backend(preauth), preauth)

    def test_removes_the_offer_of_tls_wherever_it_is(self) -> None:
        for before, after in (
            (b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED", b"* CAPABILITY IMAP4rev1"),
            (b"* capability starttls IMAP4rev1 IDLE", b"* capability IMAP4rev1 IDLE"),
            (b"* CAPABILITY A LOGINDISABLED B STARTTLS C", b"* CAPABILITY A B C"),
            (b"a1 OK [CAPABILITY A STARTTLS B] done", b"a1 OK [CAPABILITY A B] done"),
            (b"* OK [CAPABILITY STARTTLS LOGINDISABLED] hi", b"* OK [CAPABILITY] hi"),
            (b"* NO [capability A STARTTLS] STARTTLS", b"* NO [capability A] STARTTLS"),
        ):
            self.check([(BACKEND, joined(before, b"* x"), joined(after, b"* x"))])

    def test_leaves_alone_what_only_looks_like_an_offer(self) -> None:
        self.check_untouched([
            (BACKEND, joined(
                b"* CAPABILITY XSTARTTLS STARTTLSX",
                b"* OK [CAPABILITY STARTTLS",
                b"* OK see [CAPABILITY STARTTLS] there",
                b"* OK [ALERT] STARTTLS",
                b"CAPABILITY STARTTLS",
                b'* 1 FETCH (ENVELOPE ("[CAPABILITY STARTTLS]"))',
                b"12}",
                b"+ STARTTLS",
                b"",
            )),
        ])  # fmt: skip

    def test_leaves_literals_of_the_backend_alone(self) -> None:
        for head in (b"* 1 FETCH (BODY[] ", b"* 1 FETCH (BINARY[1] ~", b"* 1 FETCH (" + LONG):
            sent = head + b"{%d}\r\n" % len(INSIDE) + INSIDE
            sent += b"* CAPABILITY STARTTLS {3}\r\nabc)\r\n"
            self.check([(BACKEND, sent + OFFERS, sent + b"* CAPABILITY IMAP4rev1\r\n")])

    def test_leaves_literals_of_the_client_alone(self) -> None:
        for head in (b"a APPEND x ", b"a LOGIN ", b"a " + LONG):
            self.check([
                same(CLIENT, head + b"{%d}\r\n" % len(INSIDE)),
                same(BACKEND, GO_ON),
                same(CLIENT, INSIDE + b"b STARTTLS\r\n"),
                (CLIENT, b"c STARTTLS\r\n", b"c XSTARTTLS\r\n"),
            ])  # fmt: skip

    def test_leaves_non_synchronizing_literals_alone(self) -> None:
        for head in (b"a APPEND x ", b"a " + LONG):
            sent = head + b"{%d+}\r\n" % len(INSIDE) + INSIDE + b"b STARTTLS\r\n"
            for knows in (b"* CAPABILITY LITERAL+", b"* ok [capability literal-]", IMAP4REV2):
                self.check([
                    same(BACKEND, joined(knows)),
                    (CLIENT, sent + b"c STARTTLS\r\n", sent + b"c XSTARTTLS\r\n"),
                ])  # fmt: skip

    def test_passes_everything_once_the_backend_compresses(self) -> None:
        client, backend = (zlib.compress(b"a NOOP\r\n")[2:], zlib.compress(OFFERS)[2:])
        for command in (b"c COMPRESS DEFLATE", b"c compress deflate "):
            self.check([
                same(CLIENT, joined(command)),
                same(BACKEND, joined(b"* OK hi", b"c OK deflating") + OFFERS),
                same(CLIENT, b"a STARTTLS\r\n" + client),
                same(BACKEND, backend),
            ])  # fmt: skip

    def test_goes_on_filtering_if_the_backend_does_not_compress(self) -> None:
        for command, answer in (
            (b"c COMPRESS DEFLATE", b"c NO why?"),
            (b"c COMPRESS DEFLATE", b"d OK"),
            (b"c NOOP", b"c OK"),
        ):
            self.check([
                same(CLIENT, joined(command)),
                same(BACKEND, joined(answer)),
                (CLIENT, joined(b"a STARTTLS"), joined(b"a XSTARTTLS")),
                (BACKEND, OFFERS, b"* CAPABILITY IMAP4rev1\r\n"),
            ])  # fmt: skip

    def test_passes_everything_once_a_sasl_security_layer_is_used(self) -> None:
        buffer = b"\0\0\0\x0d" + b"a STARTTLS\r\n\r"
        for who, other in ((CLIENT, BACKEND), (BACKEND, CLIENT)):
            self.check([
                same(CLIENT, joined(b"a AUTHENTICATE GSSAPI")),
                same(BACKEND, joined(b"+ ", b"a OK in")),
                same(who, buffer + OFFERS + b"a STARTTLS\r\n"),
                same(other, buffer + OFFERS + b"a STARTTLS\r\n"),
            ])  # fmt: skip

    def test_goes_by_the_latest_capabilities_of_the_backend(self) -> None:
        for latest in (b"* CAPABILITY IMAP4rev1", b"a OK [CAPABILITY IDLE] logged in"):
            self.check([
                same(BACKEND, joined(b"* CAPABILITY LITERAL+", b"* OK hi", latest)),
                (CLIENT, joined(b"a X {12+}", b"b STARTTLS"), joined(b"a X {12+}", b"b XSTARTTLS")),
            ])  # fmt: skip

    def test_learns_from_the_greeting_that_the_backend_accepts_literals_unasked(self) -> None:
        protocol_filter = ImapFilter()
        protocol_filter.from_backend(b"* OK [CAPABILITY IMAP4rev1 LITERAL+] ready\r\n")
        sent = b"a LOGIN {12+}\r\nb STARTTLS\r\n\r\n"
        self.assertEqual(protocol_filter.from_client(sent), sent)

    def test_filters_a_non_synchronizing_literal_that_the_backend_takes_for_a_command(self) -> None:
        self.check([
            same(BACKEND, joined(b"* CAPABILITY IMAP4rev1")),
            (CLIENT, b"a LOGIN {12+}\r\nb STARTTLS\r\n", b"a LOGIN {12+}\r\nb XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_filters_what_follows_a_literal_that_was_refused(self) -> None:
        for refusal in (b"a NO never", b"a BAD too much", b"a BAD " + LONG, b"* BAD what?"):
            self.check([
                same(CLIENT, b"a LOGIN {12}\r\n"),
                same(BACKEND, joined(b"* OK still here", refusal)),
                (CLIENT, b"b STARTTLS\r\n", b"b XSTARTTLS\r\n"),
            ])  # fmt: skip

    def test_filters_what_follows_a_second_literal_that_was_refused(self) -> None:
        self.check([
            same(CLIENT, b"a LOGIN {3}\r\n"),
            same(BACKEND, GO_ON),
            same(CLIENT, b"joe {12}\r\n"),
            same(BACKEND, joined(b"a BAD no")),
            (CLIENT, b"b STARTTLS\r\n", b"b XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_finds_the_answer_to_a_literal_among_other_answers(self) -> None:
        inside = b"c STARTTLS\r\n"
        others = b"* 1 EXISTS\r\na OK\r\n* 1 FETCH (X {10}\r\n\r\nb NO no\r\n)\r\n"
        self.check([
            same(CLIENT, b"a NOOP\r\nb LOGIN {12}\r\n"),
            same(BACKEND, others + GO_ON),
            (CLIENT, inside + b"\r\n" + inside, inside + b"\r\nc XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_fails_if_the_client_does_not_wait_for_permission_to_send_a_literal(self) -> None:
        for early in (b"b STARTTLS\r\n", b"\r\n", LONG, b"c X {3}\r\n"):
            protocol_filter = self.greeted()
            protocol_filter.from_client(b"a LOGIN {12}\r\n")
            failed = self.assertRaises(FilterFailed, protocol_filter.from_client, early)
            self.assertEqual(failed.cause, Cause.PROTOCOL_ERROR)
            self.assertEqual(str(failed), "the client has not waited to be asked for a literal")

    def test_filters_what_comes_instead_of_a_literal_that_was_refused(self) -> None:
        asked, refused = b"a APPEND x {50}\r\n", b"a NO [TOOBIG] no\r\n"
        self.check([
            (CLIENT, asked, asked),
            (BACKEND, b"* 1 EXISTS\r\n" + refused, b"* 1 EXISTS\r\n" + refused),
            (CLIENT, b"b STARTTLS\r\n", b"b XSTARTTLS\r\n"),
        ])  # fmt: skip
        taken = b"STARTTLS".ljust(48) + b"\r\n"
        self.check([
            (CLIENT, asked, asked), (BACKEND, b"+ go on\r\n" + refused, b"+ go on\r\n" + refused),
            (CLIENT, taken + b"\r\nb STARTTLS\r\n", taken + b"\r\nb XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_continues_after_a_literal_and_a_long_line(self) -> None:
        sent = b"* 1 FETCH (X {2}\r\nab " + LONG + b")\r\n"
        self.check([(BACKEND, sent + OFFERS, sent + b"* CAPABILITY IMAP4rev1\r\n")])
        sent = b"ab " + LONG + b"\r\n"
        self.check([
            same(CLIENT, b"a X {2}\r\n"),
            same(BACKEND, GO_ON),
            (CLIENT, sent + b"c STARTTLS\r\n", sent + b"c XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_does_not_look_for_an_offer_at_the_end_of_a_long_line(self) -> None:
        offer = b"* CAPABILITY STARTTLS ".ljust(62, b"x") + b"\r\n"
        self.check_untouched([(BACKEND, b"x" * 3000 + offer)])

    def test_continues_after_an_empty_literal(self) -> None:
        self.check([
            same(CLIENT, b"a X {0}\r\n"),
            same(BACKEND, GO_ON),
            (CLIENT, b"b STARTTLS\r\nc STARTTLS\r\n", b"b STARTTLS\r\nc XSTARTTLS\r\n"),
        ])  # fmt: skip

    def test_renames_a_second_request_so_that_the_backend_rejects_it(self) -> None:
        for asks in (b"STARTTLS", b"starttls", b" STARTTLS "):
            self.check([(CLIENT, joined(b"a " + asks), joined(b"a X" + asks))])
        self.check_untouched([(CLIENT, joined(b"STARTTLS", b"a STARTTLS now", b"a X STARTTLS"))])

    def test_does_not_look_for_a_command_at_the_end_of_a_long_line(self) -> None:
        for length in range(2030, 2060):
            self.check_untouched([(CLIENT, b"a X " + b"x" * length + b" STARTTLS\r\n")])


class LiteralTests(SynchronousTestCase):
    def test_announce_their_length_at_the_end_of_a_line(self) -> None:
        for line, size in {
            b"a {5}\r\n": 5,
            b"a {05}\n": 5,
            b"a ~{12+}\r\n": 12,
            b"{0}\r\n": 0,
            b"a {5} \r\n": None,
            b"a {5\r\n": None,
            b"a 5}\r\n": None,
            b"5}\r\n": None,
            b"a {}\r\n": None,
            b"a {+}\r\n": None,
            b"a {-5}\r\n": None,
            b"a {" + b"9" * 30 + b"}\r\n": None,
            b"\r\n": None,
        }.items():
            self.assertEqual(literal_size(line), size, line)
