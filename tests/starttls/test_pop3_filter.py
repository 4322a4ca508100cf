from __future__ import annotations

import tracemalloc

from tests.starttls import filter_contract as contracts
from tests.starttls.filter_contract import BACKEND, CLIENT, LONG, joined
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.starttls.pop3 import MAX_PIPELINED, Pop3Filter


class Pop3FilterTests(contracts.Contract):
    protocol_filter = Pop3Filter
    greeting = b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n"
    rejection = b"-ERR go away"
    fragments = (
        b"CAPA", b"STLS", b"stls ", b"RETR 1", b"LIST", b"LIST 1", b"+OK", b"-ERR", b"+ ", b".",
        b"\0", b"\r\n.\r\n", b"STLS\r\n", b"AUTH PLAIN",
    )  # fmt: skip

    def test_removes_the_offer_of_tls_wherever_it_is(self) -> None:
        for before, after in (
            ((b"STLS", b"TOP", b"UIDL"), (b"TOP", b"UIDL")),
            ((b"TOP", b"stls ", b"UIDL"), (b"TOP", b"UIDL")),
            ((b"TOP", b"STLS"), (b"TOP",)),
            ((b"STLS",), ()),
            ((), ()),
            ((b"XSTLS", b"STLS now"), (b"XSTLS", b"STLS now")),
        ):
            self.check([
                (CLIENT, joined(b"capa"), joined(b"capa")),
                (BACKEND, joined(b"+OK", *before, b"."), joined(b"+OK", *after, b".")),
                (BACKEND, joined(b"STLS"), joined(b"STLS")),
            ])  # fmt: skip

    def test_passes_everything_once_a_sasl_security_layer_is_used(self) -> None:
        buffer = b"\0\0\0\x06STLS\r\n" + joined(b"+OK", b"STLS")
        for who, other in ((CLIENT, BACKEND), (BACKEND, CLIENT)):
            self.check([
                (CLIENT, joined(b"AUTH GSSAPI"), joined(b"AUTH GSSAPI")),
                (BACKEND, joined(b"+ ", b"+OK"), joined(b"+ ", b"+OK")),
                (CLIENT, joined(b"dXNlcg=="), joined(b"dXNlcg==")),
                (who, buffer, buffer),
                (other, buffer, buffer),
            ])  # fmt: skip

    def test_goes_on_filtering_after_a_mail_with_a_line_that_begins_with_nul(self) -> None:
        self.check([
            (CLIENT, joined(b"RETR 1"), joined(b"RETR 1")),
            (BACKEND, joined(b"+OK", b"\0", b"."), joined(b"+OK", b"\0", b".")),
            (CLIENT, joined(b"STLS"), joined(b"XSTLS")),
        ])  # fmt: skip

    def test_leaves_mail_alone(self) -> None:
        for asks in (b"RETR 1", b"top 1 5", b"LIST", b"UIDL"):
            message = joined(b"+OK", b"STLS", b"", b"+OK", b"..", b"-ERR", LONG, LONG + b".", b".")
            self.check([
                (CLIENT, joined(asks, b"CAPA"), joined(asks, b"CAPA")),
                (BACKEND, message, message),
                (BACKEND, joined(b"+OK", b"STLS", b"."), joined(b"+OK", b".")),
            ])  # fmt: skip

    def test_recognises_answers_of_one_line(self) -> None:
        for asks, answer in (
            (b"RETR 9", b"-ERR no such message"),
            (b"CAPA", b"-ERR what?"),
            (b"LIST 1", b"+OK 1 120"),
            (b"UIDL 1", b"+OK 1 x"),
            (b"NOOP", b"+OK"),
            (b"", b"-ERR what?"),
        ):
            self.check([
                (CLIENT, joined(asks, b"CAPA"), joined(asks, b"CAPA")),
                (BACKEND, joined(answer, b"+OK", b"STLS", b"."), joined(answer, b"+OK", b".")),
            ])  # fmt: skip

    def test_renames_a_second_request_so_that_the_backend_rejects_it(self) -> None:
        for asks in (b"STLS", b"stls", b"STLS now", b" STLS"):
            self.check([
                (CLIENT, joined(b"NOOP", asks), joined(b"NOOP", b"X" + asks)),
                (BACKEND, joined(b"+OK", b"-ERR what?"), joined(b"+OK", b"-ERR what?")),
            ])  # fmt: skip
        self.check_untouched([(CLIENT, joined(b"STLSX", b"NOOP STLS"))])

    def test_leaves_answers_to_challenges_alone_however_long(self) -> None:
        for answer in (b"STLS", b"CAPA", b"*", LONG):
            self.check([
                (CLIENT, joined(b"AUTH X"), joined(b"AUTH X")),
                (BACKEND, joined(b"+ "), joined(b"+ ")),
                (CLIENT, joined(answer), joined(answer)),
                (BACKEND, joined(b"+OK"), joined(b"+OK")),
                (CLIENT, joined(b"STLS", b"CAPA"), joined(b"XSTLS", b"CAPA")),
                (BACKEND, joined(b"-ERR", b"+OK", b"STLS", b"."), joined(b"-ERR", b"+OK", b".")),
            ])  # fmt: skip

    def test_counts_a_long_command_as_one_command(self) -> None:
        for length in (2000, 2040, 2048, 9000):
            line = b"x" * length + b" " * 60 + b"STLS"
            self.check([
                (CLIENT, joined(line, b"CAPA"), joined(line, b"CAPA")),
                (BACKEND, joined(b"-ERR", b"+OK", b"STLS", b"."), joined(b"-ERR", b"+OK", b".")),
            ])  # fmt: skip

    def test_tolerates_more_answers_than_commands(self) -> None:
        self.check_untouched([(BACKEND, joined(b"+OK", b"-ERR idle", b"STLS"))])

    def test_recognises_auth_without_an_argument_as_a_request_for_a_list(self) -> None:
        listed = joined(b"+OK", b"PLAIN", b"STLS", b".")
        for asks in (b"AUTH", b"auth ", b"LANG"):
            self.check([
                (CLIENT, joined(asks, b"CAPA"), joined(asks, b"CAPA")),
                (BACKEND, listed, listed),
                (BACKEND, joined(b"+OK", b"STLS", b"."), joined(b"+OK", b".")),
            ])  # fmt: skip

    def test_recognises_that_auth_without_an_argument_was_refused(self) -> None:
        self.check([
            (CLIENT, joined(b"AUTH", b"CAPA"), joined(b"AUTH", b"CAPA")),
            (BACKEND, joined(b"-ERR", b"+OK", b"STLS", b"."), joined(b"-ERR", b"+OK", b".")),
        ])  # fmt: skip

    def test_does_not_count_lines_that_are_not_replies(self) -> None:
        odd = joined(b"+OK", b"more", b"STLS", b"", b".")
        self.check([
            (CLIENT, joined(b"XODD", b"CAPA"), joined(b"XODD", b"CAPA")),
            (BACKEND, odd, odd),
            (BACKEND, joined(b"+OK", b"STLS", b"."), joined(b"+OK", b".")),
        ])  # fmt: skip

    def test_recognises_an_empty_challenge(self) -> None:
        for challenge in (b"+\r\n", b"+ \r\n", b"+\n"):
            self.check([
                (CLIENT, joined(b"AUTH X"), joined(b"AUTH X")),
                (BACKEND, challenge, challenge),
                (CLIENT, joined(b"STLS"), joined(b"STLS")),
                (BACKEND, joined(b"+OK"), joined(b"+OK")),
                (CLIENT, joined(b"STLS"), joined(b"XSTLS")),
            ])  # fmt: skip

    def test_does_not_take_a_dot_after_a_bare_newline_for_the_end_of_a_mail(self) -> None:
        message = b"+OK\r\na\n.\r\n+OK\r\nSTLS\r\n.\n" + LONG + b"\n.\r\n+OK\r\nSTLS\r\n.\r\n"
        self.check([
            (CLIENT, joined(b"RETR 1", b"CAPA"), joined(b"RETR 1", b"CAPA")),
            (BACKEND, message, message),
            (BACKEND, joined(b"+OK", b"STLS", b"."), joined(b"+OK", b".")),
        ])  # fmt: skip

    def test_fails_if_the_client_never_waits_for_an_answer(self) -> None:
        protocol_filter = self.greeted()
        for _ in range(MAX_PIPELINED // 1000):
            protocol_filter.from_client(b"NOOP\r\n" * 1000)
        protocol_filter.from_backend(b"+OK\r\n")
        protocol_filter.from_client(b"CAPA\r\n")
        failed = self.assertRaises(FilterFailed, protocol_filter.from_client, b"NOOP\r\n")
        self.assertEqual(failed.cause, Cause.PROTOCOL_ERROR)
        self.assertEqual(
            str(failed), "the client has sent 10000 commands without waiting for an answer"
        )

    def test_uses_little_memory_for_an_unanswered_command(self) -> None:
        protocol_filter = self.greeted()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        for number in range(MAX_PIPELINED):
            protocol_filter.from_client(b"%d" % number + b"x" * 1000 + b"\r\n")
        self.assertLess(tracemalloc.get_traced_memory()[0], 500_000)
