from __future__ import annotations

from tests.starttls import filter_contract as contracts
from tests.starttls.filter_contract import BACKEND, CLIENT, LONG, joined
from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.filters import FilterFailed
from tlsdemo.starttls.smtp import LmtpFilter, SmtpFilter

OFFER = joined(b"250-mail.example", b"250 CHUNKING")
MAIL = joined(b"From: a", b"", b"STARTTLS", b"BDAT 100", b"..", b"250-STARTTLS", b".")


class SmtpFilterTests(contracts.Contract):
    protocol_filter = SmtpFilter
    greeting = b"220 mail.example ESMTP\r\n"
    rejection = b"554 No SMTP service here"
    fragments = (
        b"STARTTLS", b"starttls ", b"250-STARTTLS", b"250 STARTTLS", b"250-SIZE", b"250 OK",
        b"354 go", b"334 ", b"BDAT 7", b"DATA",
        b"EHLO x", b"250-CHUNKING", b"AUTH LOGIN", b"\0", b".", b"\r\n.\r\n",
    )  # fmt: skip

    def test_removes_a_greeting_of_several_lines(self) -> None:
        lines = joined(b"220-mail.example", b"220-says", b"220 welcome")
        protocol_filter = SmtpFilter()
        for line in lines.splitlines(keepends=True):
            self.assertFalse(protocol_filter.ready)
            self.assertEqual(protocol_filter.from_backend(line), b"")
        self.assertTrue(protocol_filter.ready)

    def test_fails_if_the_lines_of_a_greeting_have_different_codes(self) -> None:
        protocol_filter = SmtpFilter()
        protocol_filter.from_backend(b"220-mail.example\r\n")
        self.assertRaises(FilterFailed, protocol_filter.from_backend, b"421 go away\r\n")

    def test_removes_the_offer_of_tls_wherever_it_is(self) -> None:
        for before, after in (
            ((b"250-a", b"250-STARTTLS", b"250 SIZE"), (b"250-a", b"250 SIZE")),
            ((b"250-STARTTLS", b"250-a", b"250 SIZE"), (b"250-a", b"250 SIZE")),
            ((b"250-a", b"250-SIZE", b"250 STARTTLS"), (b"250-a", b"250 SIZE")),
            ((b"250-a", b"250 starttls "), (b"250 a",)),
            ((b"250-a", b"250-STARTTLS", b"250 STARTTLS"), (b"250 a",)),
            ((b"250 STARTTLS",), (b"250 OK",)),
            ((b"250-STARTTLS", b"250 STARTTLS"), (b"250 OK",)),
        ):
            self.check([(BACKEND, joined(*before), joined(*after))])

    def test_leaves_alone_what_only_looks_like_an_offer(self) -> None:
        self.check_untouched([
            (BACKEND, joined(b"250-a", b"250-STARTTLSX", b"250-X STARTTLS", b"250 SIZE")),
            (BACKEND, joined(b"214-STARTTLS", b"214 STARTTLS", b"250", b"", b"STARTTLS")),
        ])  # fmt: skip

    def test_keeps_the_order_of_a_reply_with_a_long_line(self) -> None:
        self.check_untouched([
            (BACKEND, joined(b"250-a", b"250-" + LONG, b"250-b", b"250 " + LONG, b"250 c")),
        ])  # fmt: skip

    def test_releases_what_it_holds_if_the_backend_closes_within_a_reply(self) -> None:
        for sent, passed, rest in (
            (b"250-a\r\n250-SIZE\r\n", b"250-a\r\n", b"250-SIZE\r\n"),
            (b"250-a\r\n250-STARTTLS\r\n", b"", b"250-a\r\n"),
            (b"250-a\r\n250-SI", b"", b"250-a\r\n250-SI"),
            (b"421 4.3.2 shutting do", b"", b"421 4.3.2 shutting do"),
        ):
            protocol_filter = self.greeted()
            self.assertEqual(protocol_filter.from_backend(sent), passed)
            self.assertEqual(protocol_filter.rest_of_backend(), rest)
            self.assertEqual(protocol_filter.rest_of_backend(), b"")

    def test_renames_a_second_request_so_that_the_backend_rejects_it(self) -> None:
        for asks in (b"STARTTLS", b"starttls", b"StartTLS now", b" STARTTLS"):
            self.check([(CLIENT, joined(asks, b"NOOP"), b"X" + joined(asks, b"NOOP"))])
        self.check_untouched([(CLIENT, joined(b"STARTTLSX", b"NOOP STARTTLS", b""))])

    def test_fails_if_the_client_uses_a_sasl_security_layer(self) -> None:
        # Nobody but the backend can know whether it reads a buffer of the layer or commands.
        for size in (1, 20):
            failed = self.assertRaises(
                FilterFailed,
                contracts.filtered,
                self.greeted(),
                [
                    (CLIENT, joined(b"AUTH GSSAPI")),
                    (BACKEND, joined(b"235 in")),
                    (CLIENT, b"\0\0\0\x06NOOP\r\n"),
                ],
                size,
            )
            self.assertIs(failed.cause, Cause.PROTOCOL_ERROR)
            self.assertIn("a security layer of SASL", str(failed))

    def test_passes_mail_with_lines_that_begin_with_nul(self) -> None:
        self.message(b"\0\r\n\0\r\n", b"\0\r\n\0\r\n")

    def test_leaves_mail_alone(self) -> None:
        self.check([
            (CLIENT, joined(b"DATA"), joined(b"DATA")),
            (BACKEND, joined(b"354 go on"), joined(b"354 go on")),
            (CLIENT, MAIL, MAIL),
            (CLIENT, joined(b"STARTTLS"), joined(b"XSTARTTLS")),
        ])  # fmt: skip

    def test_does_not_take_the_end_of_a_long_line_for_the_end_of_a_mail(self) -> None:
        for long in (b"x" * 5000, b"x" * 2048, b"x" * 2047):
            body = long + b".\r\n" + joined(b"STARTTLS", b".")
            self.check([
                (BACKEND, joined(b"354 go on"), joined(b"354 go on")),
                (CLIENT, body, body),
                (CLIENT, joined(b"STARTTLS"), joined(b"XSTARTTLS")),
            ])  # fmt: skip

    def test_filters_commands_after_mail_data_was_refused(self) -> None:
        self.check([
            (CLIENT, joined(b"DATA"), joined(b"DATA")),
            (BACKEND, joined(b"503 no"), joined(b"503 no")),
            (CLIENT, joined(b"STARTTLS"), joined(b"XSTARTTLS")),
        ])  # fmt: skip

    def offered(
        self, offer: bytes = OFFER, hello: bytes = b"EHLO me"
    ) -> list[tuple[str, bytes, bytes]]:
        """A hello, and a backend's answer to it."""
        return [(CLIENT, joined(hello), joined(hello)), (BACKEND, offer, offer)]

    def test_leaves_bdat_chunks_alone_if_the_backend_offers_chunking(self) -> None:
        chunk = b"STARTTLS\r\nBDAT 9\r\n"
        ours = b"bdat %d\r\n" % len(chunk) + chunk
        for offer in (OFFER, joined(b"250-a", b"250-chunking ", b"250 SIZE")):
            self.check([
                *self.offered(offer, b"lhlo me"),
                (CLIENT, ours + b"BDAT 0 LAST\r\nSTARTTLS\r\n",
                 ours + b"BDAT 0 LAST\r\nXSTARTTLS\r\n"),
            ])  # fmt: skip

    def test_renames_bdat_if_the_backend_does_not_offer_chunking(self) -> None:
        sent = b"BDAT 99\r\nDATA\r\ntext\n.\nMAIL FROM:<a@b>\r\n"
        arrives = b"XBDAT 99\r\nDATA\r\ntext\r\n..\r\nMAIL FROM:<a@b>\r\n"
        refused = joined(b"502 what?")
        for before in (
            [],
            self.offered(joined(b"250-mail.example", b"250 SIZE")),
            self.offered(joined(b"250-mail.example", b"250 X CHUNKING")),
            # It is offered to another hello, or to a command that is no hello.
            [*self.offered(), *self.offered(joined(b"250 mail.example"), b"HELO me")],
            [*self.offered(), *self.offered(refused)],
            self.offered(OFFER, b"EXPN list"),
            [*self.offered(b""), (CLIENT, joined(b"EHLO you"), joined(b"EHLO you")),
             (BACKEND, OFFER, OFFER)],
            [*self.offered(refused), *self.offered(OFFER, b"NOOP")],
        ):  # fmt: skip
            self.check([*before, (CLIENT, sent, arrives)])

    def test_renames_bdat_with_anything_but_a_length_because_backends_differ_about_it(self) -> None:
        for line in (
            b"BDAT",
            b"BDAT x",
            b"BDAT -1",
            b"BDAT 9 FIRST",
            b"BDAT\t9",
            b"BDAT  9",
            b" BDAT 9",
        ):
            self.check(
                [*self.offered(), (CLIENT, joined(line, b"a\n."), joined(b"X" + line, b"a", b".."))]
            )

    def test_renames_bdat_where_the_backend_may_take_it_for_something_else(self) -> None:
        for before, answer, after in (
            (b"DATA", b"354 go on", b"XBDAT 4"),
            (b"AUTH LOGIN", b"334 VXNlcjo=", b"BDAT 4"),
            (b"AUTH XOAUTH " + 600 * b"long", b"334 e30=", b"BDAT 4"),
        ):
            self.check([
                *self.offered(),
                (CLIENT, joined(b"RCPT TO:<a>", b"RCPT TO:<b>", before),
                 joined(b"RCPT TO:<a>", b"RCPT TO:<b>", before)),
                (BACKEND, joined(b"550 no", b"250-yes", b"250 yes"),
                 joined(b"550 no", b"250-yes", b"250 yes")),
                (CLIENT, b"BDAT 4\r\na\n.\n", b"XBDAT 4\r\na\r\n..\r\n"),
                (BACKEND, joined(answer), joined(answer)),
                (CLIENT, b"BDAT 4\r\n", joined(after)),
            ])  # fmt: skip

    def test_renames_bdat_after_an_answer_to_a_challenge_until_that_is_answered(self) -> None:
        self.check([
            *self.offered(),
            (CLIENT, joined(b"AUTH LOGIN"), joined(b"AUTH LOGIN")),
            (BACKEND, joined(b"334 VXNlcjo="), joined(b"334 VXNlcjo=")),
            (CLIENT, joined(b"dXNlcg==", b"BDAT 2"), joined(b"dXNlcg==", b"XBDAT 2")),
            (BACKEND, joined(b"535 no", b"500 what?"), joined(b"535 no", b"500 what?")),
            (CLIENT, b"BDAT 2\r\n.\nNOOP\r\n", b"BDAT 2\r\n.\nNOOP\r\n"),
        ])  # fmt: skip

    def test_renames_bdat_after_data_whatever_else_has_been_answered(self) -> None:
        for early in (b"", b".", b" "):
            self.check([
                *self.offered(),
                (CLIENT, joined(early, b"DATA"), joined(early, b"DATA")),
                (BACKEND, joined(b"500 what?"), joined(b"500 what?")),
                (CLIENT, b"BDAT 3\r\n\n.\n", b"XBDAT 3\r\n\r\n..\r\n"),
            ])  # fmt: skip

    def test_passes_chunks_again_when_data_has_been_refused_or_has_ended(self) -> None:
        chunk = b"BDAT 2\r\n.\nNOOP\r\n"
        for answer, more in ((b"503 no", b""), (b"354 go on", joined(b"text", b"."))):
            self.check([
                *self.offered(),
                (CLIENT, joined(b"DATA"), joined(b"DATA")),
                (BACKEND, joined(answer), joined(answer)),
                (CLIENT, more + chunk, more + chunk),
            ])  # fmt: skip

    def test_leaves_answers_to_challenges_alone_however_long(self) -> None:
        for answer in (b"STARTTLS", b"*", LONG):
            self.check([
                (BACKEND, joined(b"334 "), joined(b"334 ")),
                (CLIENT, joined(answer), joined(answer)),
                (BACKEND, joined(b"334 again"), joined(b"334 again")),
                (CLIENT, joined(answer, b"STARTTLS"), joined(answer, b"XSTARTTLS")),
            ])  # fmt: skip

    def test_does_not_look_for_a_command_at_the_end_of_a_long_line(self) -> None:
        for length in range(2030, 2060):
            line = b"x" * length + b" STARTTLS\r\n"
            self.check_untouched([(CLIENT, line)])
        self.check_untouched([(CLIENT, b"x" * 3000 + b" " * 60 + b"STARTTLS\r\n")])

    def message(self, sent: bytes, arrives: bytes) -> None:
        """Check what becomes of a mail, after which the next command is filtered."""
        self.check([
            (CLIENT, joined(b"DATA"), joined(b"DATA")),
            (BACKEND, joined(b"354 go on"), joined(b"354 go on")),
            (CLIENT, sent + joined(b".", b"STARTTLS"), arrives + joined(b".", b"XSTARTTLS")),
        ])  # fmt: skip

    def test_ends_a_mail_only_where_the_backend_ends_it(self) -> None:
        more = joined(b"MAIL FROM:<a@b>", b"STARTTLS", b"BDAT 99")
        for end, arrives in {
            b"\n.\n": b"\r\n..\r\n",
            b"\n.\r\n": b"\r\n..\r\n",
            b"\r\n.\n": b"\r\n..\r\n",
            b"\r\n.\r": b"\r\n. ",
            b"\r.\r\n": b" .\r\n",
            b"\r.\r": b" . ",
            b"\r\n.\r\r\n": b"\r\n. \r\n",
            b"\r\r\n..\n": b" \r\n..\r\n",
            b"\n\r.\r\n": b"\r\n .\r\n",
        }.items():
            self.message(b"text" + end + more, b"text" + arrives + more)

    def test_sends_no_ambiguous_end_of_a_mail_before_354(self) -> None:
        # A client that does not wait for 354 sends its message as if it were commands.
        self.check([
            (CLIENT, b"DATA\r\ntext\n.\r\n", b"DATA\r\ntext\r\n..\r\n"),
            (CLIENT, b"text\r\n.\n", b"text\r\n..\r\n"),
        ])  # fmt: skip

    def test_recognises_an_empty_mail(self) -> None:
        self.message(b"", b"")

    def test_does_not_end_a_mail_after_a_long_line_without_crlf(self) -> None:
        for length in (2040, 2047, 2048, 5000):
            text = b"x" * length
            self.message(text + b"\n.\r\nSTARTTLS\r\n", text + b"\r\n..\r\nSTARTTLS\r\n")

    def test_normalises_line_ends_and_removes_returns_within_a_line(self) -> None:
        self.check([
            (CLIENT, b"NOOP\nSTARTTLS\n", b"NOOP\r\nXSTARTTLS\r\n"),
            (CLIENT, b"NOOP\rSTARTTLS\r\n", b"NOOP STARTTLS\r\n"),
            (CLIENT, b"x\r" * 3000 + b"\r\n", b"x " * 3000 + b"\r\n"),
        ])  # fmt: skip

    def test_leaves_returns_in_bdat_chunks_alone(self) -> None:
        chunk = b"a\n.\r\n\r.\n"
        sent = b"BDAT %d\r\n" % len(chunk) + chunk + b"NOOP\r\n"
        self.check([*self.offered(), (CLIENT, sent, sent)])

    def test_renames_bdat_with_an_impossible_length(self) -> None:
        sent = joined(b"BDAT " + b"0" * 18 + b"9", b"STARTTLS")
        arrives = joined(b"XBDAT " + b"0" * 18 + b"9", b"XSTARTTLS")
        self.check([*self.offered(), (CLIENT, sent, arrives)])


class LmtpFilterTests(SmtpFilterTests):
    """LMTP has a reply to a mail for each of its recipients (RFC 2033, section 4.2)."""

    protocol_filter = LmtpFilter

    def test_knows_which_replies_are_those_to_a_mail(self) -> None:
        recipients = joined(b"MAIL FROM:<a>", b"RCPT TO:<b>", b"RCPT TO:<c>")
        for last in (joined(b"text", b"."), b"BDAT 1 LAST\r\nx", b"BDAT 1\r\nxBDAT 1 last\r\nx"):
            is_text = last.startswith(b"text")
            start = joined(b"DATA") if is_text else b""
            go_on = joined(*3 * [b"250 OK"], *[b"354 go on"] * is_text)
            replies = joined(*(2 + last.count(b"BDAT 1\r\n")) * [b"250 OK"])
            pipelined = joined(b"RSET", b"DATA")
            self.check([
                *self.offered(OFFER, b"LHLO me"),
                (CLIENT, recipients + start, recipients + start),
                (BACKEND, go_on, go_on),
                (CLIENT, last + pipelined, last + pipelined),
                (BACKEND, replies + joined(b"250 OK"), replies + joined(b"250 OK")),
                (CLIENT, b"BDAT 3\r\n\n.\n", b"XBDAT 3\r\n\r\n..\r\n"),
            ])  # fmt: skip

    def test_goes_on_counting_at_354_whatever_was_rejected_before(self) -> None:
        recipients = joined(b"MAIL FROM:<a>", b"RCPT TO:<b>", b"RCPT TO:<c>", b"DATA")
        chunk = b"BDAT 2\r\n.\nNOOP\r\n"
        answers = joined(b"250 OK", b"250 OK", b"550 no", b"354 go on")
        again = [
            (CLIENT, recipients, recipients), (BACKEND, answers, answers),
            (CLIENT, joined(b"."), joined(b".")), (BACKEND, joined(b"250 OK"), joined(b"250 OK")),
        ]  # fmt: skip
        self.check([*self.offered(OFFER, b"LHLO me"), *again, *again, (CLIENT, chunk, chunk)])
