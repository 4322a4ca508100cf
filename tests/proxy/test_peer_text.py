"""Text that a client chooses, on its way through a whole server to every edge of the log."""

from __future__ import annotations

import contextlib
import functools
import io
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL, crypto
from twisted.internet.error import ConnectionLost
from twisted.logger import LogEvent, capturedLogs, eventAsJSON

from tests.proxy.memory_server import ServerInMemory
from tests.starttls.test_properties import HANDLERS, MESSAGES
from tests.support import certificates, now
from tests.test_printable import texts
from tlsdemo.close_reasons import CloseReason
from tlsdemo.net.bounded_log import printable_log
from tlsdemo.net.printable_logger import LONGEST
from tlsdemo.proxy.diagnostics import Diagnostics
from tlsdemo.starttls.negotiation import Negotiation, Refuse
from tlsdemo.tls import ClientAuth, ModeName, ServerTLS

QUICKLY = settings(derandomize=True, max_examples=25)


@functools.cache
def peer_keys() -> tuple[Any, Any]:
    """The key of the demonstration's authority, and one for a client."""
    pem = certificates().authority.with_suffix(".key").read_bytes()
    return serialization.load_pem_private_key(pem, None), ec.generate_private_key(ec.SECP256R1())


def peer_certificate(organization: str) -> x509.Certificate:
    """A client certificate with a subject, an issuer and a name that somebody chose."""
    authority = x509.load_pem_x509_certificate(certificates().authority.read_bytes())
    issuer_key, key = peer_keys()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization, _validate=False),
        ]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(hours=1))
        .not_valid_after(now() + timedelta(hours=1))
    )
    return builder.sign(issuer_key, hashes.SHA256())


class _Client:
    """A client of pyOpenSSL, which sends any bytes as SNI and as ALPN."""

    def __init__(self, sni: bytes, organization: str) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.use_certificate(crypto.X509.from_cryptography(peer_certificate(organization)))
        context.use_privatekey(crypto.PKey.from_cryptography_key(peer_keys()[1]))
        context.set_alpn_protos([sni or b"x"])
        self._tls = SSL.Connection(context, None)
        self._tls.set_tlsext_host_name(sni)
        self._tls.set_connect_state()

    def shake_hands(self, wire: Any) -> None:
        for _ in range(4):
            with contextlib.suppress(SSL.WantReadError):
                self._tls.do_handshake()
            with contextlib.suppress(SSL.WantReadError):
                wire.deliver(self._tls.bio_read(1 << 16))
            sent = wire.take()
            if sent:
                self._tls.bio_write(sent)


class PeerTextTests(ServerInMemory):
    def check(self, events: Sequence[LogEvent]) -> None:
        """Check the events at every edge of the log."""
        self.assertGreater(len(events), 0)
        for event in events:
            stream = io.StringIO()
            printable_log(stream)(event)
            for line in (stream.getvalue().removesuffix("\n"), eventAsJSON(event)):
                self.assertTrue(line.isprintable(), ascii(line[:500]))
                self.assertLess(len(line), 60 * LONGEST)
            json.loads(eventAsJSON(event))

    @QUICKLY
    @given(texts)
    def test_names_in_a_handshake(self, text: str) -> None:
        sni = text.encode("utf-8", "surrogatepass").replace(b"\0", b"")[:200]
        organization = text.encode("utf-8", "replace").decode()[:9000] or "x"
        for detailed in (False, True):
            self.setUp()
            tls = ServerTLS.build(certificates().server, ClientAuth.REQUIRED, ["\x1b[31m"])
            with capturedLogs() as events:
                diagnostics = Diagnostics(log_events=detailed)
                self.started(mode=ModeName.PAIR, tls=tls, log_first=9, diagnostics=diagnostics)
                wire = self.accepted(1)
                _Client(sni, organization).shake_hands(wire)
                wire.lose(ConnectionLost())
            self.check(events)
            secure = [event for event in events if event.get("event") == "secure"]
            self.assertEqual(len(secure), 1)

    @QUICKLY
    @given(texts)
    def test_words_on_the_status_port(self, text: str) -> None:
        self.setUp()
        self.started(status="tcp:8898")
        # A longer query is not read.
        text = text[:300]
        self.accepted(1).lose(ConnectionLost())
        with capturedLogs() as events:
            self.ask(ask="run", name=text, sent=6, peers=["192.0.2.1:1", text])
            self.ask(ask="run", name=text, sent=6, peers=["192.0.2.1:1"])
            answer = self.ask(ask=text)
        self.check(events)
        self.assertIn("error", answer)

    @settings(QUICKLY, max_examples=150)
    @given(
        st.sampled_from(HANDLERS).flatmap(
            lambda handler: st.tuples(
                st.just(handler), st.lists(st.sampled_from(MESSAGES[handler]), max_size=4)
            )
        ),
        texts,
    )
    def test_words_before_tls(
        self, handler: tuple[type[Negotiation], list[bytes]], text: str
    ) -> None:
        make, said = handler
        word = text.encode("utf-8", "surrogatepass")[:1000]
        negotiation = make()
        commands = negotiation.start()
        for message in [*said, word + b"\r\n", *(each.rstrip() + word + each for each in said)]:
            if not negotiation.state.final:
                commands += negotiation.receive(message)
        for command in commands:
            if isinstance(command, Refuse):
                self.assertTrue(command.detail.isprintable(), ascii(command.detail))
                self.assertLess(len(command.detail), LONGEST)
                self.assertTrue(str(CloseReason(command.cause, command.detail)).isprintable())
