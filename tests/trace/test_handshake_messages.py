from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.trace.wire_bytes import RETRY, SERVER_HELLO, message
from tlsdemo.trace.handshake_messages import HandshakeReader


class AHandshakeReader(SynchronousTestCase):
    def names(self, *records: bytes) -> list[tuple[str, ...]]:
        reader = HandshakeReader()
        found = []
        for content in records:
            reader.feed(content)
            found.append(reader.take())
        return found

    def test_names_several_messages_in_one_record(self) -> None:
        content = SERVER_HELLO + message(11, bytes(700)) + message(22, b"x") + message(14)
        self.assertEqual(
            self.names(content),
            [("server_hello", "certificate", "certificate_status", "server_hello_done")],
        )

    def test_names_a_message_in_each_record_that_has_a_part_of_it(self) -> None:
        certificate = message(11, bytes(2000))
        self.assertEqual(
            self.names(certificate[:900], certificate[900:1800], certificate[1800:] + message(14)),
            [
                ("certificate",),
                ("certificate (continued)",),
                ("certificate (continued)", "server_hello_done"),
            ],
        )

    def test_names_a_message_whose_header_is_split(self) -> None:
        self.assertEqual(
            self.names(message(14)[:1], message(14)[1:] + message(20, b"x")),
            [("server_hello_done",), ("server_hello_done (continued)", "finished")],
        )

    def test_distinguishes_a_retry_request_from_a_hello(self) -> None:
        self.assertEqual(
            self.names(RETRY + SERVER_HELLO), [("hello_retry_request", "server_hello")]
        )

    def test_recognizes_a_retry_request_once_its_random_is_complete(self) -> None:
        self.assertEqual(
            self.names(RETRY[:20], RETRY[20:]),
            [("server_hello",), ("hello_retry_request (continued)",)],
        )

    def test_numbers_an_unknown_message(self) -> None:
        self.assertEqual(self.names(message(99, b"x")), [("message 99",)])

    def test_has_nothing_in_an_empty_record(self) -> None:
        self.assertEqual(self.names(b""), [()])
