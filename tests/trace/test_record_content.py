from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.trace.wire_bytes import CLIENT_HELLO, SERVER_HELLO, message
from tlsdemo.trace.record import Kind
from tlsdemo.trace.record_content import ContentReader

HELLO = CLIENT_HELLO[5:]


class AContentReader(SynchronousTestCase):
    def setUp(self) -> None:
        self.reader = ContentReader()

    def content(self, kind: Kind, *pieces: bytes) -> tuple[tuple[str, ...], bool]:
        self.reader.begin(kind, sum(map(len, pieces)))
        for piece in pieces:
            self.reader.feed(piece)
        return self.reader.take()

    def change(self) -> None:
        self.assertEqual(self.content(Kind.CHANGE_CIPHER_SPEC, b"\1"), ((), False))

    def test_names_unencrypted_messages(self) -> None:
        self.assertEqual(self.content(Kind.HANDSHAKE, HELLO), (("client_hello",), False))

    def test_names_an_unencrypted_alert(self) -> None:
        for content, name in {
            b"\2\x28": "fatal handshake_failure",
            b"\1\0": "warning close_notify",
            b"\x09\xfe": "9 254",
        }.items():
            self.assertEqual(self.content(Kind.ALERT, content), ((name,), False))
            self.assertEqual(self.content(Kind.ALERT, content[:1], content[1:])[0], (name,))

    def test_does_not_name_an_incomplete_alert(self) -> None:
        self.reader.begin(Kind.ALERT, 2)
        self.reader.feed(b"\2")
        self.assertEqual(self.reader.take(), ((), False))

    def test_does_not_name_an_alert_of_another_size(self) -> None:
        self.assertEqual(self.content(Kind.ALERT, b"\2\x28\2"), ((), False))

    def test_takes_records_after_change_cipher_spec_for_encrypted(self) -> None:
        self.change()
        self.assertEqual(self.content(Kind.HANDSHAKE, bytes(40)), ((), True))
        self.assertEqual(self.content(Kind.ALERT, bytes(26)), ((), True))

    def test_names_an_unencrypted_alert_after_change_cipher_spec(self) -> None:
        self.change()
        self.assertEqual(self.content(Kind.ALERT, b"\2\x30"), (("fatal unknown_ca",), False))

    def test_names_a_hello_after_change_cipher_spec(self) -> None:
        self.change()
        for cut in range(6):
            found = self.content(Kind.HANDSHAKE, HELLO[:cut], HELLO[cut:])
            self.assertEqual(found, (("client_hello",), False))

    def test_takes_other_messages_after_change_cipher_spec_for_encrypted(self) -> None:
        self.change()
        for content in (message(20, b"x" * 12), HELLO + b"!", SERVER_HELLO[:-1], b"\1\0\0"):
            self.assertEqual(self.content(Kind.HANDSHAKE, content), ((), True))

    def test_discards_a_message_that_change_cipher_spec_interrupts(self) -> None:
        self.content(Kind.HANDSHAKE, SERVER_HELLO[:20])
        self.change()
        self.assertEqual(self.content(Kind.HANDSHAKE, SERVER_HELLO), (("server_hello",), False))

    def test_takes_application_data_for_encrypted(self) -> None:
        self.assertEqual(self.content(Kind.APPLICATION_DATA, b"data"), ((), True))

    def test_wants_only_the_bytes_that_it_can_name(self) -> None:
        wanted = {}
        for kind in Kind:
            self.reader.begin(kind, 2)
            wanted[kind] = self.reader.wants_bytes
        self.assertEqual(
            {kind for kind, wants in wanted.items() if wants}, {Kind.HANDSHAKE, Kind.ALERT}
        )
