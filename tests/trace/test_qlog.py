from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.trace.qlog_schema import problem_of, texts
from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.tls import MODES, ConnectionInfo
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.qlog import attributes_of, begin, event_type, header, iana_cipher
from tlsdemo.trace.record import Kind, Record
from tlsdemo.trace.timeline import Event, Fact, ToldText

NOON = datetime(2026, 11, 24, 12, tzinfo=timezone.utc)
FACTS: dict[str, Fact] = {"mode": "pair", "Twisted": "26.10.0"}
STATE: dict[str, Fact] = {"peer": True, "alpn": "", "flight": True, "write": False}


def written(*seen: Mark | Arrow, peer: str = "127.0.0.1:5") -> list[Any]:
    first, text_of = begin(7, peer, FACTS, NOON)
    content = "".join(f"{text}\n" for text in (header(), first, *map(text_of, seen)))
    return texts(content)


def mark(name: str, **facts: Fact) -> Mark:
    return Mark(End.SERVER, Event(name, 1.5, facts))


class Files(SynchronousTestCase):
    def check(self, *seen: Mark | Arrow) -> Any:
        """The last text, after all have been validated."""
        found = written(*seen)
        for text in found:
            self.assertIsNone(problem_of(text))
        return found[-1]

    def test_begin_with_a_header_that_tells_the_format_in_256_bytes(self) -> None:
        found, *_ = written()
        self.assertIsNone(problem_of(found))
        self.assertEqual(found["file_schema"], "urn:ietf:params:qlog:file:sequential")
        self.assertEqual(found["serialization_format"], "application/qlog+json-seq")
        self.assertIn("serialization_format", header()[:200])
        self.assertFalse(found["trace"]["event_schemas"][0].startswith("urn:ietf:"))

    def test_have_each_connection_as_a_group(self) -> None:
        started = self.check()
        self.assertEqual(started["group_id"], "7@2026-11-24T12:00:00.000000Z")
        self.assertEqual(started["time"], 1795521600000.0)
        self.assertEqual(
            started["data"],
            {"connection": 7, "client.address": "127.0.0.1", "client.port": 5, **FACTS},
        )
        event = self.check(mark("connected"))
        self.assertEqual((event["group_id"], event["time"]), (started["group_id"], 1795521601500.0))

    def test_have_addresses_of_every_kind(self) -> None:
        for peer, expected in {
            "[::1]:5": {"client.address": "::1", "client.port": 5},
            "UNIXAddress('/run/x')": {},
            "": {},
        }.items():
            data = written(peer=peer)[1]["data"]
            self.assertEqual({key: data[key] for key in data if "." in key}, expected)
            self.assertIsNone(problem_of(written(peer=peer)[1]))

    def test_have_records_by_their_direction(self) -> None:
        hello = Record(Kind.HANDSHAKE, 290, "TLS 1.0", ("client_hello",))
        text = self.check(Arrow(End.CLIENT, 0.25, hello))
        self.assertEqual(text["name"], "tlsdemo:record_received")
        self.assertEqual(
            text["data"],
            {"content_type": "handshake", "length": 290, "version": "TLS 1.0", "encrypted": False,
             "messages": ["client_hello"]},
        )  # fmt: skip
        data = Record(Kind.APPLICATION_DATA, 54, "TLS 1.2", (), encrypted=True)
        text = self.check(Arrow(End.SERVER, 0.25, data))
        self.assertEqual((text["name"], text["time"]), ("tlsdemo:record_sent", 1795521600250.0))
        self.assertEqual(
            text["data"],
            {"content_type": "application_data", "length": 54, "version": "TLS 1.2",
             "encrypted": True},
        )  # fmt: skip
        for kind in Kind:
            self.check(Arrow(End.SERVER, 0.25, Record(kind, 5)))

    def test_have_what_was_agreed_by_opentelemetrys_names(self) -> None:
        info = ConnectionInfo("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384", "h2", "a.example", "CN=x")
        text = self.check(mark("secure", agreed=ToldText.of(info), **STATE))
        self.assertEqual(
            text["data"],
            {
                "event": "secure",
                "agreed": str(info),
                "tls.established": True,
                "tls.protocol.name": "tls",
                "tls.protocol.version": "1.2",
                "tls.cipher": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "tls.next_protocol": "h2",
                "tls.client.subject": "CN=x",
                "server.address": "a.example",
                **STATE,
            },
        )

    def test_have_the_cause_of_an_end_as_its_trigger(self) -> None:
        reason = CloseReason(Cause.CERTIFICATE_MISSING, "x")
        for name, more in (("insecure", {"tls.established": False}), ("closed", {})):
            text = self.check(mark(name, how=ToldText.of(reason), **STATE))
            expected = {"event": name, "trigger": "certificate missing", "detail": "x", **more}
            self.assertEqual(text["data"], {**expected, **STATE})

    def test_have_every_event_of_every_mode(self) -> None:
        for mode in MODES.values():
            for name in (mode.called, mode.returned):
                self.assertEqual(self.check(mark(name))["data"], {"event": name})

    def test_cannot_be_changed_by_what_a_peer_says(self) -> None:
        hostile = '"}\n\x1e{"a": "\u2028\x7f'
        text = self.check(mark("certificate verified", subject=hostile))
        self.assertEqual(text["data"]["subject"], hostile)
        record = Record(Kind.PLAIN, 5, "", (hostile,))
        self.assertEqual(self.check(Arrow(End.CLIENT, 0.0, record))["data"]["messages"], [hostile])


class TheSchema(SynchronousTestCase):
    def test_refuses_what_is_wrong(self) -> None:
        head, started, secure, closed = written(
            mark("secure", agreed=ToldText.of(ConnectionInfo("TLSv1.3", "x", None, None, None))),
            mark("closed", how=ToldText.of(CLEAN)),
        )
        for right in (head, started, secure, closed):
            self.assertIsNone(problem_of(right))
        for wrong in (
            {**head, "file_schema": "urn:x"},
            {**started, "time": 5},
            {**started, "group_id": "7"},
            {**started, "name": "tlsdemo:begun"},
            {**started, "data": {**started["data"], "client.port": "5"}},
            {**secure, "data": {**secure["data"], "tls.established": False}},
            {**secure, "data": {**secure["data"], "unknown": "x"}},
            {**closed, "data": {**closed["data"], "reason": "x"}},
            {key: value for key, value in closed.items() if key != "group_id"},
        ):
            self.assertIsNotNone(problem_of(wrong), wrong)


class Names(SynchronousTestCase):
    def test_of_events(self) -> None:
        for event, expected in {
            "startTLS called": "start_tls_called",
            "OpenSSL state": "openssl_state",
            "ClientHello seen": "client_hello_seen",
            "connectionLost": "connection_lost",
        }.items():
            self.assertEqual(event_type(event), expected)

    def test_of_ciphers_are_those_of_iana(self) -> None:
        for openssl, expected in {
            "TLS_AES_128_GCM_SHA256": "TLS_AES_128_GCM_SHA256",
            "ECDHE-RSA-AES128-SHA": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
            "ECDHE-ECDSA-AES256-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
            "DHE-RSA-AES256-GCM-SHA384": "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384",
            "ECDHE-RSA-CHACHA20-POLY1305": "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "ECDHE-ECDSA-AES128-CCM": None,
            "AES128-SHA": None,
        }.items():
            self.assertEqual(iana_cipher(openssl), expected)

    def test_that_are_not_known_are_left_out(self) -> None:
        info = ConnectionInfo("TLSv1.2", "AES128-SHA", None, None, None)
        found = attributes_of(info)
        self.assertEqual(found, {"tls.protocol.name": "tls", "tls.protocol.version": "1.2"})
