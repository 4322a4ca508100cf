from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tests.trace.wire_bytes import (
    CHANGE,
    CLIENT_HELLO,
    RETRY,
    SERVER_HELLO,
    handshake,
    message,
    record,
)
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.record_reader import LONGEST_CONTENT, RecordReader


def read(*chunks: bytes) -> list[Record]:
    reader = RecordReader()
    return [found for chunk in chunks for found in reader.feed(chunk)]


def shape(*chunks: bytes) -> list[tuple[Kind, int, tuple[str, ...], bool]]:
    return [(each.kind, each.length, each.messages, each.encrypted) for each in read(*chunks)]


HELLO = Record(Kind.HANDSHAKE, len(CLIENT_HELLO), "TLS 1.0", ("client_hello",))

TLS12_SERVER = (
    handshake(SERVER_HELLO) + handshake(message(11, bytes(900))) + handshake(message(12, b"k"))
    + handshake(message(14)) + CHANGE + record(22, b"\0" * 40) + record(23, b"x" * 30)
    + record(21, b"\0" * 26)
)  # fmt: skip


class ARecordReader(SynchronousTestCase):
    def test_reads_plaintext_before_tls(self) -> None:
        self.assertEqual(
            read(b"EHLO me\r\n", b"STARTTLS\r\n"),
            [
                Record(Kind.PLAIN, 9, messages=("EHLO me\\r\\n",)),
                Record(Kind.PLAIN, 10, messages=("STARTTLS\\r\\n",)),
            ],
        )

    def test_separates_plaintext_from_a_hello_in_the_same_piece(self) -> None:
        self.assertEqual(read(b"S" + CLIENT_HELLO), [Record(Kind.PLAIN, 1, messages=("S",)), HELLO])

    def test_waits_for_more_of_what_may_be_a_header(self) -> None:
        for cut in range(1, len(CLIENT_HELLO)):
            words, hello = read(b"S" + CLIENT_HELLO[:cut], CLIENT_HELLO[cut:])
            self.assertEqual((words.messages, hello), (("S",), HELLO))

    def test_takes_what_was_not_a_header_for_plaintext(self) -> None:
        self.assertEqual(
            shape(b"a\x16\x03", b"\x01b"),
            [(Kind.PLAIN, 1, ("a",), False), (Kind.PLAIN, 4, ("\\x16\\x03\\x01b",), False)],
        )

    def test_can_begin_with_an_alert(self) -> None:
        self.assertEqual(
            read(record(21, b"\2\x46")),
            [Record(Kind.ALERT, 7, "TLS 1.2", ("fatal protocol_version",))],
        )

    def test_reads_a_server_of_tls_1_2_to_its_end(self) -> None:
        self.assertEqual(
            shape(TLS12_SERVER),
            [
                (Kind.HANDSHAKE, 5 + len(SERVER_HELLO), ("server_hello",), False),
                (Kind.HANDSHAKE, 909, ("certificate",), False),
                (Kind.HANDSHAKE, 10, ("server_key_exchange",), False),
                (Kind.HANDSHAKE, 9, ("server_hello_done",), False),
                (Kind.CHANGE_CIPHER_SPEC, 6, (), False),
                (Kind.HANDSHAKE, 45, (), True),
                (Kind.APPLICATION_DATA, 35, (), True),
                (Kind.ALERT, 31, (), True),
            ],
        )

    def test_reads_a_server_of_tls_1_3_with_a_hello_retry_request(self) -> None:
        self.assertEqual(
            [each[0::2] for each in shape(handshake(RETRY) + CHANGE + handshake(SERVER_HELLO))],
            [
                (Kind.HANDSHAKE, ("hello_retry_request",)),
                (Kind.CHANGE_CIPHER_SPEC, ()),
                (Kind.HANDSHAKE, ("server_hello",)),
            ],
        )

    def test_counts_a_record_without_content(self) -> None:
        self.assertEqual(
            shape(CLIENT_HELLO, record(23, b""))[1], (Kind.APPLICATION_DATA, 5, (), True)
        )

    def test_names_every_type_and_version(self) -> None:
        rest = record(20, b"\1", 0x0302) + record(24, b"h", 0x0304) + record(23, b"x", 0x0399)
        self.assertEqual(
            [(each.kind, each.version) for each in read(CLIENT_HELLO + rest)[1:]],
            [
                (Kind.CHANGE_CIPHER_SPEC, "TLS 1.1"),
                (Kind.HEARTBEAT, "TLS 1.3"),
                (Kind.APPLICATION_DATA, "0x0399"),
            ],
        )

    def test_takes_everything_after_an_invalid_header_for_unreadable(self) -> None:
        for garbage in (
            b"\x13\3\3\0\1", b"\x19\3\3\0\1", b"\x16\2\3\0\1",
            b"\x17\3\3" + (LONGEST_CONTENT + 1).to_bytes(2, "big"),
        ):  # fmt: skip
            self.assertEqual(
                read(CLIENT_HELLO + garbage, CLIENT_HELLO),
                [
                    HELLO,
                    Record(Kind.UNREADABLE, 5),
                    Record(Kind.UNREADABLE, len(CLIENT_HELLO)),
                ],
            )

    def test_counts_the_bytes_of_an_invalid_header(self) -> None:
        self.assertEqual(
            read(CLIENT_HELLO, b"\x17\3", b"\3\xff\xff!")[1:], [Record(Kind.UNREADABLE, 6)]
        )

    def test_accepts_the_longest_record(self) -> None:
        longest = record(23, bytes(LONGEST_CONTENT))
        self.assertEqual(shape(CLIENT_HELLO + longest)[1][:2], (Kind.APPLICATION_DATA, 18437))

    def test_does_not_keep_the_content_of_records(self) -> None:
        reader = RecordReader()
        reader.feed(CLIENT_HELLO)
        begun = record(23, bytes(LONGEST_CONTENT))[:-1]
        tracemalloc.start()
        try:
            reader.feed(begun)
            reader.feed(CLIENT_HELLO[:0])
            self.assertLess(tracemalloc.get_traced_memory()[0], 4096)
        finally:
            tracemalloc.stop()


class TheEnd(SynchronousTestCase):
    def end(self, *chunks: bytes) -> list[Record]:
        reader = RecordReader()
        for chunk in chunks:
            reader.feed(chunk)
        found = reader.end()
        self.assertEqual(reader.end(), [], "told twice")
        return found

    def test_after_complete_records_adds_nothing(self) -> None:
        self.assertEqual(self.end(), [])
        self.assertEqual(self.end(b"words"), [])
        self.assertEqual(self.end(CLIENT_HELLO), [])
        self.assertEqual(self.end(CLIENT_HELLO, b"garbage"), [])

    def test_in_a_record_has_the_number_of_received_bytes(self) -> None:
        messages = ("client_hello", "handshake cut short, 100 of 211 bytes")
        self.assertEqual(
            self.end(CLIENT_HELLO[:100]), [Record(Kind.UNREADABLE, 100, "TLS 1.0", messages)]
        )

    def test_in_a_header_has_its_bytes(self) -> None:
        self.assertEqual(
            self.end(CLIENT_HELLO, b"\x17\3\3"),
            [Record(Kind.UNREADABLE, 3, messages=("header cut short",))],
        )

    def test_before_tls_has_the_plaintext_that_was_held_back(self) -> None:
        self.assertEqual(self.end(b"a\x16\3"), [Record(Kind.PLAIN, 2, messages=("\\x16\\x03",))])

    def test_makes_everything_after_it_unreadable(self) -> None:
        reader = RecordReader()
        reader.end()
        self.assertEqual(reader.feed(b"x"), [Record(Kind.UNREADABLE, 1)])


STREAMS = st.lists(
    st.one_of(
        st.sampled_from([
            b"EHLO\r\n", CLIENT_HELLO, CHANGE, handshake(SERVER_HELLO), handshake(RETRY),
            record(21, b"\2\x28"), record(23, b"data"), TLS12_SERVER, b"\x16\3", b"\x16\3\1\0\5\1",
            record(22, message(11, bytes(50))[:20]), record(22, message(11, bytes(50))[20:]),
        ]),
        st.binary(max_size=12),
    ),
    max_size=8,
).map(b"".join)  # fmt: skip


def joined(records: list[Record]) -> list[Record]:
    """Join adjacent pieces of bytes outside of records, which depend on the chunking."""
    result: list[Record] = []
    for each in records:
        if each.kind in (Kind.PLAIN, Kind.UNREADABLE):
            before = result.pop().length if result and result[-1].kind is each.kind else 0
            each = Record(each.kind, before + each.length)
        result.append(each)
    return result


class AnyChunking(SynchronousTestCase):
    @given(STREAMS, st.data())
    def test_gives_the_same_records(self, stream: bytes, data: st.DataObject) -> None:
        cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=10).map(sorted))
        whole, pieces = RecordReader(), RecordReader()
        expected = whole.feed(stream) + whole.end()
        chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
        found = [each for chunk in chunks for each in pieces.feed(chunk)] + pieces.end()
        self.assertEqual(joined(found), joined(expected))
        self.assertEqual(sum(each.length for each in found), len(stream), "not every byte told")
