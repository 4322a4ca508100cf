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

    def test_names_messages_in_the_clear(self) -> None:
        self.assertEqual(self.content(Kind.HANDSHAKE, HELLO), (("client_hello",), False))

    def test_names_an_alert_in_the_clear(self) -> None:
        for content, name in {
            b"\2\x28": "fatal handshake_failure",
            b"\1\0": "warning close_notify",
            b"\x09\xfe": "9 254",
        }.items():
            self.assertEqual(self.content(Kind.ALERT, content), ((name,), False))
            self.assertEqual(self.content(Kind.ALERT, content[:1], content[1:])[0], (name,))

    def test_leaves_half_an_alert_without_a_name(self) -> None:
        self.reader.begin(Kind.ALERT, 2)
        self.reader.feed(b"\2")
        self.assertEqual(self.reader.take(), ((), False))

    def test_leaves_an_alert_of_another_size_without_a_name(self) -> None:
        self.assertEqual(self.content(Kind.ALERT, b"\2\x28\2"), ((), False))

    def test_holds_all_for_encrypted_after_the_change(self) -> None:
        self.change()
        self.assertEqual(self.content(Kind.HANDSHAKE, bytes(40)), ((), True))
        self.assertEqual(self.content(Kind.ALERT, bytes(26)), ((), True))

    def test_names_an_alert_in_the_clear_after_the_change(self) -> None:
        self.change()
        self.assertEqual(self.content(Kind.ALERT, b"\2\x30"), (("fatal unknown_ca",), False))

    def test_names_a_hello_after_the_change(self) -> None:
        self.change()
        for cut in range(6):
            found = self.content(Kind.HANDSHAKE, HELLO[:cut], HELLO[cut:])
            self.assertEqual(found, (("client_hello",), False))

    def test_takes_no_other_message_after_the_change_for_clear(self) -> None:
        self.change()
        for content in (message(20, b"x" * 12), HELLO + b"!", SERVER_HELLO[:-1], b"\1\0\0"):
            self.assertEqual(self.content(Kind.HANDSHAKE, content), ((), True))

    def test_forgets_a_message_that_the_change_cuts_off(self) -> None:
        self.content(Kind.HANDSHAKE, SERVER_HELLO[:20])
        self.change()
        self.assertEqual(self.content(Kind.HANDSHAKE, SERVER_HELLO), (("server_hello",), False))

    def test_holds_application_data_for_encrypted(self) -> None:
        self.assertEqual(self.content(Kind.APPLICATION_DATA, b"data"), ((), True))

    def test_wants_only_the_bytes_that_name_something(self) -> None:
        wanted = {}
        for kind in Kind:
            self.reader.begin(kind, 2)
            wanted[kind] = self.reader.wants_bytes
        self.assertEqual(
            {kind for kind, wants in wanted.items() if wants}, {Kind.HANDSHAKE, Kind.ALERT}
        )
