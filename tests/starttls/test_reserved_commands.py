"""Commands that only a proxy may give to its backend, from a client of the proxy."""

from __future__ import annotations

from tests.starttls.filter_contract import BACKEND, CLIENT, FilterCase, joined
from tlsdemo.starttls.pop3 import Pop3Filter
from tlsdemo.starttls.smtp import LmtpFilter, SmtpFilter

OFFER = joined(b"250-mail.example", b"250 CHUNKING")


class InSmtp(FilterCase):
    protocol_filter = SmtpFilter
    greeting = b"220 mail.example ESMTP\r\n"

    def test_removes_the_offer_of_what_only_a_proxy_may_say(self) -> None:
        offers = (b"250-XCLIENT NAME ADDR", b"250-xforward NAME", b"250 XCLIENT ADDR")
        self.check([
            (BACKEND, joined(b"250-a", *offers), joined(b"250 a")),
            (BACKEND, joined(b"250-XCLIENTS ADDR", b"250 OK"),
             joined(b"250-XCLIENTS ADDR", b"250 OK")),
        ])  # fmt: skip

    def test_renames_what_only_a_proxy_may_say(self) -> None:
        for verb in (b"XCLIENT", b"xclient", b" XClient", b"\x0b\tXCLIENT", b"XFORWARD"):
            line = verb + b" ADDR=127.0.0.1"
            self.check([(CLIENT, joined(line, b"NOOP"), b"X" + joined(line, b"NOOP"))])
        self.check_untouched([(CLIENT, joined(b"XCLIENTS ADDR=1", b"NOOP XCLIENT ADDR=1"))])

    def test_renames_it_if_the_backend_may_ignore_the_end_of_a_long_line(self) -> None:
        for verb in (b"XCLIENT", b"XFORWARD", b"STARTTLS", b"BDAT"):
            for spaces in (0, 1, *range(1960, 2050, 3), 5000):
                line = b" " * spaces + verb + b" 1" + b" " * 3000 + b"\r\n"
                self.check([(CLIENT, line, b"X" + line)])

    def test_renames_it_where_an_answer_to_a_challenge_seems_to_be_due(self) -> None:
        for line in (b"XCLIENT ADDR=127.0.0.1", b"XCLIENT ADDR=127.0.0.1" + b" " * 3000):
            self.check([
                (CLIENT, joined(b"AUTH LOGIN", b"eA==", b"eA=="),
                 joined(b"AUTH LOGIN", b"eA==", b"eA==")),
                (BACKEND, joined(b"334 a", b"334 b", b"535 no"),
                 joined(b"334 a", b"334 b", b"535 no")),
                (CLIENT, joined(line), b"X" + joined(line)),
            ])  # fmt: skip
        self.check_untouched([
            (BACKEND, joined(b"334 a")), (CLIENT, joined(b"XCLIENT")), (CLIENT, joined(b"NOOP")),
        ])  # fmt: skip

    def test_renames_it_in_mails_if_mail_data_has_come_before_354(self) -> None:
        xclient = joined(b"XCLIENT ADDR=127.0.0.1")
        self.check([
            (CLIENT, joined(b"DATA", b"a", b"."), joined(b"DATA", b"a", b".")),
            (BACKEND, joined(b"354 go on", b"250 OK"), joined(b"354 go on", b"250 OK")),
            (CLIENT, xclient, b"X" + xclient),
            (CLIENT, joined(b"DATA"), joined(b"DATA")),
            (BACKEND, joined(b"354 go on"), joined(b"354 go on")),
            (CLIENT, xclient + joined(b"."), b"X" + xclient + joined(b".")),
        ])  # fmt: skip

    def test_passes_no_chunks_if_mail_data_has_come_before_354(self) -> None:
        self.check([
            (CLIENT, joined(b"EHLO a"), joined(b"EHLO a")),
            (BACKEND, OFFER, OFFER),
            (CLIENT, joined(b"DATA", b"a", b"."), joined(b"DATA", b"a", b".")),
            (BACKEND, joined(b"354 go on", b"250 OK"), joined(b"354 go on", b"250 OK")),
            (CLIENT, joined(b"BDAT 7 LAST"), joined(b"XBDAT 7 LAST")),
        ])  # fmt: skip

    def test_leaves_mails_alone_if_data_was_refused_before(self) -> None:
        xclient = joined(b"XCLIENT ADDR=127.0.0.1")
        self.check([
            (CLIENT, joined(b"DATA") + xclient, joined(b"DATA") + b"X" + xclient),
            (BACKEND, joined(b"503 no", b"500 no"), joined(b"503 no", b"500 no")),
            (CLIENT, joined(b"DATA"), joined(b"DATA")),
            (BACKEND, joined(b"354 go on"), joined(b"354 go on")),
            (CLIENT, xclient + joined(b"."), xclient + joined(b".")),
            (CLIENT, xclient, b"X" + xclient),
        ])  # fmt: skip


class InLmtp(InSmtp):
    protocol_filter = LmtpFilter


class InPop3(FilterCase):
    protocol_filter = Pop3Filter
    greeting = b"+OK\r\n"

    def test_renames_what_only_a_proxy_may_say(self) -> None:
        for line in (b"XCLIENT ADDR=127.0.0.1", b" xclient ADDR=1", b"XCLIENT" + b" " * 5000):
            self.check([(CLIENT, joined(line, b"NOOP"), b"X" + joined(line, b"NOOP"))])
        self.check_untouched([(CLIENT, joined(b"XCLIENTS ADDR=1", b"NOOP XCLIENT"))])

    def test_renames_it_where_an_answer_to_a_challenge_seems_to_be_due(self) -> None:
        for line in (b"XCLIENT ADDR=127.0.0.1", b"XCLIENT ADDR=127.0.0.1" + b" " * 3000):
            self.check([
                (CLIENT, joined(b"AUTH LOGIN", b"eA==", b"eA=="),
                 joined(b"AUTH LOGIN", b"eA==", b"eA==")),
                (BACKEND, joined(b"+ a", b"+ b", b"-ERR no"), joined(b"+ a", b"+ b", b"-ERR no")),
                (CLIENT, joined(line), b"X" + joined(line)),
            ])  # fmt: skip
        self.check_untouched([
            (CLIENT, joined(b"AUTH LOGIN")), (BACKEND, joined(b"+ a")),
            (CLIENT, joined(b"XCLIENT")),
        ])  # fmt: skip
