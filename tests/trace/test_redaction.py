from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.trace.record_reader import RecordReader
from tlsdemo.trace.redaction import Redaction

SECRET = b"c2VjcmV0"
LOGINS = (
    b"AUTH PLAIN " + SECRET + b"\r\n",
    b"AUTH LOGIN\r\n" + SECRET + b"\r\n",
    b"a1 LOGIN me " + SECRET + b"\r\n",
    b"a1 AUTHENTICATE PLAIN " + SECRET + b"\r\n",
    b"a1 LOGIN {2+}\r\nme {8+}\r\n" + SECRET + b"\r\n",
    b"USER me\r\nPASS " + SECRET + b"\r\n",
    b"APOP me " + SECRET + b"\r\n",
    b"AUTHINFO PASS " + SECRET + b"\r\n",
    b'AUTHENTICATE "PLAIN" "' + SECRET + b'"\r\n',
    b'CONNECT {"pass": "' + SECRET + b'"}\r\n',
    b"p\0\0\0\x0d" + SECRET + b"\0",
    b"\0\0\0\x30\0\x03\0\0user\0" + SECRET + b"\0",
    b"\x30\x16\x02\x01\x01\x60\x11\x02\x01\x03\x04\x02cn\x80\x08" + SECRET,
    b"<auth mechanism='PLAIN'>" + SECRET + b"</auth>",
    b"\x30\0\0\x01" + bytes(32) + b"me\0\x08" + SECRET,
)
QUICKLY = settings(derandomize=True, max_examples=50)


def shown(*pieces: bytes) -> str:
    reader = RecordReader(Redaction().of_client)
    records = [record for piece in pieces for record in reader.feed(piece)]
    return " ".join(text for record in (*records, *reader.end()) for text in record.messages)


class RedactionTests(SynchronousTestCase):
    def test_what_every_dialect_sends_on_its_way_to_tls_is_shown(self) -> None:
        for dialect in DIALECTS.values():
            redaction = Redaction()
            for said in dialect.conversation.client:
                self.assertEqual(redaction.of_client(said), said, (dialect.name, said))

    def test_no_secret_is_shown_however_it_is_cut(self) -> None:
        for login in LOGINS:
            for cut in range(len(login) + 1):
                text = shown(login[:cut], login[cut:])
                for part in (SECRET[:4], SECRET[4:], SECRET[2:6]):
                    self.assertNotIn(part.decode(), text, (login, cut))
                self.assertIn("that are not shown", text)

    def test_after_a_secret_only_a_request_for_tls_is_shown(self) -> None:
        text = shown(b"EHLO me\r\n", b"AUTH LOGIN\r\n", b"NOOP\r\n", b"STARTTLS\r\n")
        self.assertEqual(
            text,
            "EHLO me\\r\\n (12 bytes that are not shown) (6 bytes that are not shown) "
            "STARTTLS\\r\\n",
        )

    def test_the_rest_of_a_line_is_not_taken_for_a_line(self) -> None:
        self.assertNotIn("QUIT", shown(b"PASS x", b"QUIT\r\n"))
        self.assertNotIn("STARTTLS", shown(b"PASS x", b"STARTTLS\r\n"))

    @QUICKLY
    @given(st.binary(max_size=40), st.binary(max_size=40))
    def test_bytes_are_shown_or_counted(self, one: bytes, other: bytes) -> None:
        redaction = Redaction()
        for piece in (one, other):
            self.assertTrue(piece.startswith(redaction.of_client(piece)))

    def test_a_server_is_shown_as_it_is(self) -> None:
        redaction = Redaction()
        for piece in (b"a1 OK done\r\n", b'OK (TAG "x") "Done"\r\n'):
            self.assertEqual(redaction.of_server(piece), piece)

    def test_but_for_what_repeats_a_client_of_whom_something_is_not_shown(self) -> None:
        redaction = Redaction()
        redaction.of_client(b"a1 AUTHENTICATE PLAIN\r\n")
        for piece, expected in (
            (b"* OK ready\r\n", b"* OK ready\r\n"),
            (b"* BAD what\r\nx1 no way\r\n", b"* BAD what\r\n no way\r\n"),
            (b"x1 BAD\r\n", b" BAD\r\n"),
            (b"250 OK\r\n", b"250 OK\r\n"),
            (b"+OK NO password\r\n", b" NO password\r\n"),
            (b'OK (TAG "x) \\"") "Done"\r\n', b'OK (TAG ) "Done"\r\n'),
        ):
            self.assertEqual(redaction.of_server(piece), expected)
