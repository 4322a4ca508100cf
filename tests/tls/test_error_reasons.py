from __future__ import annotations

import ssl
from collections.abc import Callable

from OpenSSL import SSL
from service_identity import CertificateError
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tests.tls import bad_certificates as hostile
from tests.tls.memory_ends import (
    TLS12,
    TLS13,
    End,
    ForeignPeer,
    anonymous,
    client_tls,
    foreign_client,
    foreign_server,
    server_tls,
)
from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import CLEAN, Cause, CloseReason
from tlsdemo.tls import ClientTLS, ModeName, ServerTLS, TLSConnection
from tlsdemo.tls.error_reasons import _verify_error_text, close_reason_of

TLS11 = ssl.TLSVersion.TLSv1_1
SUPPORTED_GROUPS, SIGNATURE_ALGORITHMS, KEY_SHARE = 10, 13, 51
UNKNOWN = b"\x2a\x2a"
RSA_ONLY = b"\x04\x01"
HANDSHAKE_FAILURE = bytes([21, 3, 3, 0, 2, 2, 40])


class CloseReasonTestCase(SynchronousTestCase):
    def check(
        self, tls: ServerTLS | ClientTLS, peer: ForeignPeer | bytes, cause: Cause, detail: str = ""
    ) -> End:
        """Check the close reason of a handshake between ``tls`` and ``peer`` that fails."""
        end = End(ModeName.PAIR, tls).begin()
        if isinstance(peer, bytes):
            end.transport.deliver(peer)
            self.sent = end.transport.take()
            end.transport.turn()
        else:
            end.exchange_with(peer)
        self.assertEqual(end.log, [f"insecure: {cause.value}"])
        assert end.listener.close_reason is not None
        self.assertIn(detail, end.listener.close_reason.detail)
        return end

    def check_ended(self, end: End, cause: Cause, detail: str = "") -> None:
        assert end.listener.close_reason is not None
        self.assertIs(end.listener.close_reason.cause, cause)
        self.assertIn(detail, end.listener.close_reason.detail)
        self.assertIn(f"ended: {cause.value}", end.log)


Case = tuple[Callable[[], Credentials], Cause, str, str]
"""A certificate, the cause and the detail of its rejection, and the alert that the peer gets."""


class CertificateTests(CloseReasonTestCase):
    cases: tuple[Case, ...] = (
        (hostile.expired, Cause.CERTIFICATE_EXPIRED, "it has expired", "certificate expired"),
        (
            hostile.premature,
            Cause.CERTIFICATE_EXPIRED,
            "it is not valid yet",
            "certificate expired",
        ),
        (hostile.self_signed, Cause.CERTIFICATE_UNTRUSTED, "it is self-signed", "unknown ca"),
        (hostile.of_a_stranger, Cause.CERTIFICATE_UNTRUSTED, "its issuer is not", "unknown ca"),
        (
            hostile.of_a_stranger_with_chain,
            Cause.CERTIFICATE_UNTRUSTED,
            "its chain ends in an",
            "unknown ca",
        ),
        (
            hostile.of_an_intermediate,
            Cause.CERTIFICATE_UNTRUSTED,
            "an issuer in its chain is",
            "unknown ca",
        ),
        (hostile.forged, Cause.CERTIFICATE_UNTRUSTED, "its signature is not", "bad certificate"),
    )
    of_servers_only: tuple[Case, ...] = (
        (
            hostile.other_purpose,
            Cause.CERTIFICATE_INVALID,
            "unsuitable certificate purpose",
            "unsupported certificate",
        ),
        (hostile.other_name, Cause.WRONG_NAME, "is not valid for localhost", "bad certificate"),
        (hostile.no_name, Cause.WRONG_NAME, "contains no name: ", "bad certificate"),
        (hostile.unreadable_name, Cause.WRONG_NAME, "contains no name: ", "bad certificate"),
    )

    def test_a_bad_server_certificate_is_rejected_with_the_reason(self) -> None:
        for make, cause, detail, alert in self.cases + self.of_servers_only:
            credentials = make()
            for version in (TLS12, TLS13):
                tls = ClientTLS.build(Credentials(None, None, credentials.authority), "localhost")
                peer = foreign_server(
                    credentials=credentials, version=version, verify=ssl.CERT_NONE
                )
                self.check(tls, peer, cause, detail)
                self.assertIn(f"alert {alert}", str(peer.error))

    def test_any_other_context_rejects_a_certificate_without_a_reason(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_verify(SSL.VERIFY_PEER)
        peer = foreign_server(verify=ssl.CERT_NONE)
        tls = ClientTLS(context, "localhost")
        self.check(tls, peer, Cause.CERTIFICATE_INVALID, "the context does not report why")

    def test_a_bad_client_certificate_is_rejected_with_the_reason(self) -> None:
        ours = certificates().server
        for make, cause, detail, alert in self.cases:
            credentials = make()
            for version in (TLS12, TLS13):
                tls = ServerTLS.build(
                    Credentials(ours.certificate, ours.key, credentials.authority)
                )
                peer = foreign_client(credentials=credentials, version=version)
                self.check(tls, peer, cause, detail)
                self.assertIn(f"alert {alert}", str(peer.error))

    def test_a_missing_client_certificate_is_reported(self) -> None:
        for version, alert in ((TLS12, "handshake failure"), (TLS13, "certificate required")):
            peer = foreign_client(credentials=anonymous(), version=version)
            self.check(server_tls(), peer, Cause.CERTIFICATE_MISSING, "did not return")
            self.assertIn(f"alert {alert}", str(peer.error))

    def test_rejection_by_a_server_is_reported_with_its_alert(self) -> None:
        for credentials, old, new in (
            (anonymous(), "handshake failure", "certificate required"),
            (hostile.of_a_stranger(), "unknown ca", "unknown ca"),
            (hostile.expired(), "certificate expired", "certificate expired"),
        ):
            tls = ClientTLS.build(credentials, "localhost")
            detail = f"its alert says '{old}'"
            self.check(tls, foreign_server(version=TLS12), Cause.REJECTED_BY_PEER, detail)
            # Under TLS 1.3, a client hears of it only when it has been secure for a while.
            end = End(ModeName.PAIR, tls).begin()
            end.exchange_with(foreign_server(version=TLS13))
            self.check_ended(end, Cause.REJECTED_BY_PEER, f"its alert says '{new}'")

    def test_rejection_by_a_client_is_reported_with_its_alert(self) -> None:
        for version in (TLS12, TLS13):
            tls = ServerTLS.build(hostile.other_name())
            peer = foreign_client(version=version)
            self.check(tls, peer, Cause.REJECTED_BY_PEER, "its alert says 'bad certificate'")


class PlaintextTests(CloseReasonTestCase):
    def test_plaintext_is_recognized(self) -> None:
        for plaintext in (
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST / HTTP/1.1\r\n\r\n",
            b"CONNECT localhost:443 HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"EHLO localhost\r\n",
            b"220 localhost ESMTP\r\n",
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
            b"\xff" * 40,
        ):
            for tls in (server_tls(), client_tls()):
                self.check(tls, plaintext, Cause.PLAINTEXT)

    def test_plaintext_after_the_first_flight_of_tls_is_recognized(self) -> None:
        # TLS 1.3 has everything encrypted after the hellos.
        end = End(ModeName.PAIR, server_tls()).begin()
        end.transport.deliver(foreign_client().take())
        end.transport.take()
        end.transport.deliver(b"\x16\x03\x03\x00\x04abcd")
        end.transport.take()
        end.transport.turn()
        self.assertEqual(end.log, ["insecure: plain bytes instead of TLS"])


class NothingInCommonTests(CloseReasonTestCase):
    def test_no_common_version(self) -> None:
        peer = foreign_client(version=TLS11)
        self.check(server_tls(), peer, Cause.NO_COMMON_VERSION)
        self.assertIn("alert protocol version", str(peer.error))
        self.check(
            client_tls(), foreign_server(version=TLS11), Cause.REJECTED_BY_PEER, "protocol version"
        )

    def test_settings_that_leave_no_version(self) -> None:
        context = SSL.Context(SSL.TLS_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_max_proto_version(SSL.TLS1_2_VERSION)
        self.check(ClientTLS(context, "localhost"), b"", Cause.NO_COMMON_VERSION)

    def test_no_common_cipher(self) -> None:
        for ciphers in ("ECDHE-ECDSA-AES128-SHA256", "AES128-GCM-SHA256"):
            peer = foreign_client(version=TLS12, ciphers=ciphers)
            self.check(server_tls(), peer, Cause.NO_COMMON_CIPHER, "no shared cipher")
            self.assertIn("alert handshake failure", str(peer.error))

    def test_no_common_signature_algorithm(self) -> None:
        hello = altered(foreign_client().take(), SIGNATURE_ALGORITHMS, 2, RSA_ONLY)
        self.check(server_tls(), hello, Cause.NO_COMMON_CIPHER, "no suitable signature algorithm")
        self.assertEqual(self.sent, HANDSHAKE_FAILURE)

    def test_no_common_group(self) -> None:
        hello = altered(foreign_client().take(), SUPPORTED_GROUPS, 2, UNKNOWN)
        hello = altered(hello, KEY_SHARE, 2, UNKNOWN, times=1)
        self.check(server_tls(), hello, Cause.NO_COMMON_CIPHER, "no suitable key share")
        self.assertEqual(self.sent, HANDSHAKE_FAILURE)


def altered(hello: bytes, extension: int, skip: int, value: bytes, times: int = 0) -> bytes:
    """Put ``value`` over the values of one extension of a ClientHello, or the first ``times``."""
    at = 43
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2], "big")
    at += 1 + hello[at] + 2
    while int.from_bytes(hello[at : at + 2], "big") != extension:
        at += 4 + int.from_bytes(hello[at + 2 : at + 4], "big")
    size = int.from_bytes(hello[at + 2 : at + 4], "big") - skip
    at += 4 + skip
    over = value * (times or size // len(value))
    return hello[:at] + over + hello[at + len(over) :]


class AlertTests(CloseReasonTestCase):
    def alert(self, level: int, description: int) -> bytes:
        return bytes([21, 3, 3, 0, 2, level, description])

    def test_an_alert_is_reported_by_its_name(self) -> None:
        for description, name in ((40, "handshake failure"), (70, "protocol version")):
            alert = self.alert(2, description)
            self.check(client_tls(), alert, Cause.REJECTED_BY_PEER, f"its alert says '{name}'")

    def test_an_alert_of_an_unknown_level_is_an_error(self) -> None:
        self.check(client_tls(), self.alert(5, 0), Cause.PROTOCOL_ERROR, "unknown alert type")

    def test_close_notify_during_the_handshake_is_an_interruption(self) -> None:
        close_notify = self.alert(1, 0)
        self.check(client_tls(), close_notify, Cause.HANDSHAKE_INTERRUPTED)
        hello = foreign_client(version=TLS12).take()
        self.check(server_tls(), hello + close_notify, Cause.HANDSHAKE_INTERRUPTED)

    def test_plaintext_has_none_or_in_old_versions_record_overflow(self) -> None:
        # OpenSSL 3.2 takes some of it for the header of a record that is too long.
        for plaintext in (b"EHLO localhost\r\n", b"GET / HTTP/1.0\r\n\r\n"):
            end = End(ModeName.PAIR, server_tls()).begin()
            end.transport.deliver(plaintext)
            sent = end.transport.take()
            self.assertIn((sent[:1], sent[-2:]), ((b"", b""), (b"\x15", b"\x02\x16")))

    def test_plaintext_behind_a_client_hello_has_one(self) -> None:
        for version, alert in ((TLS12, "protocol version"), (TLS13, "unexpected message")):
            end, peer = End(ModeName.PAIR, server_tls()).begin(), foreign_client(version=version)
            end.transport.deliver(peer.take())
            peer.receive(end.transport.take())
            end.transport.deliver(b"GET / HTTP/1.0\r\n\r\n")
            peer.receive(end.transport.take())
            self.assertIn(f"alert {alert}", str(peer.error))

    def test_an_abort_has_none(self) -> None:
        for version in (TLS12, TLS13):
            end = End(ModeName.PAIR, server_tls())
            end.secured_with(foreign_client(version=version))
            end.transport.take()
            end.stream.abort(CloseReason(Cause.IDLE))
            self.assertEqual(end.transport.take(), b"")


class RecordTests(CloseReasonTestCase):
    def test_a_record_that_was_tampered_with_is_an_error(self) -> None:
        for version in (TLS12, TLS13):
            end, peer = End(ModeName.PAIR, server_tls()), foreign_client(version=version)
            end.secured_with(peer)
            peer.write(b"data")
            record = bytearray(peer.take())
            record[-1] ^= 1
            end.transport.deliver(bytes(record))
            end.exchange_with(peer)
            self.check_ended(end, Cause.PROTOCOL_ERROR, "decryption failed or bad record mac")

    def test_application_data_instead_of_a_handshake_is_an_error(self) -> None:
        application_data = b"\x17\x03\x03\x00\x05hello"
        self.check(server_tls(), application_data, Cause.PROTOCOL_ERROR, "unexpected message")


class VerificationErrorTests(SynchronousTestCase):
    def test_every_number_is_said_in_words(self) -> None:
        for number in range(1, 95):
            text = _verify_error_text(number)
            self.assertRegex(text, rf"^[A-Za-z].* \(verification error {number}\)$")
        self.assertEqual(
            _verify_error_text(26), "unsuitable certificate purpose (verification error 26)"
        )

    def test_without_openssls_texts_it_is_the_number(self) -> None:
        self.patch(SSL, "_lib", object())
        self.assertEqual(_verify_error_text(26), "verification ended with error 26")


class CloseReasonOfTests(SynchronousTestCase):
    """What can only come from contexts and transports that are not ours."""

    def close_reason(self, reason: Exception, secure: bool = False) -> CloseReason:
        connection = TLSConnection(SSL.Context(SSL.TLS_METHOD), is_client=True)
        return close_reason_of(Failure(reason), connection, secure)

    def test_an_error_without_a_reason_is_an_error(self) -> None:
        unexpected = SSL.SysCallError(-1, "Unexpected EOF")
        for error in (SSL.Error([]), SSL.ZeroReturnError(), unexpected):
            close_reason = self.close_reason(error)
            self.assertEqual(str(close_reason), "protocol error: TLS ended unexpectedly")

    def test_reasons_of_other_libraries_do_not_hide_those_of_openssl(self) -> None:
        error = SSL.Error(
            [("Provider routines", "", "http request"), ("SSL routines", "", "no shared cipher")]
        )
        self.assertIs(self.close_reason(error).cause, Cause.NO_COMMON_CIPHER)

    def test_a_name_error_of_any_other_context_is_reported(self) -> None:
        close_reason = self.close_reason(CertificateError("none"))
        self.assertEqual(str(close_reason), "wrong name: the certificate contains no name: none")

    def test_only_a_closed_wire_is_a_clean_end(self) -> None:
        self.assertIs(self.close_reason(ConnectionDone(), secure=True), CLEAN)
        self.assertIs(self.close_reason(ConnectionLost(), secure=True).cause, Cause.TRUNCATED)

    def test_the_end_before_a_client_hello_is_a_probe_and_within_it_an_interruption(self) -> None:
        for hello, cause in (
            (b"", Cause.PROBE),
            (foreign_client().take()[:40], Cause.HANDSHAKE_INTERRUPTED),
        ):
            for reason in (ConnectionDone(), ConnectionLost()):
                end = End(ModeName.PAIR, server_tls()).begin()
                if hello:
                    end.transport.deliver(hello)
                end.transport.lose(reason)
                self.assertEqual(end.log, [f"insecure: {cause.value}"])
        client = End(ModeName.PAIR, client_tls()).begin()
        client.transport.lose(ConnectionDone())
        self.assertEqual(client.log, ["insecure: handshake interrupted"])
