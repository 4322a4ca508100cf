"""Servers and clients that others wrote, put through situations, and their pins.

As a program it prints which of the pins in the folder pins/ differ from what is seen with the
versions that it runs with, as JSON; ``--update`` writes them anew.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from ldaptor.protocols.ldap import ldapclient
from ldaptor.protocols.ldap.ldapclient import LDAPClient
from ldaptor.protocols.ldap.proxybase import ProxyBase
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, PrivateCertificate, optionsForClientTLS
from twisted.mail.imap4 import IMAP4Server
from twisted.mail.smtp import ESMTP, ESMTPClient

from interop.scrapy_client import scrapy_client
from tlsdemo.testing import temporary_certificates
from tlsdemo.testing.pins import Pin, Subject, observe_in_memory
from tlsdemo.trace.model import End

FOLDER = Path(__file__).parent / "pins"

SERVER_SCENARIOS = (
    "ok", "injection behind the request", "hello in the segment of the request",
    "silent in mid-handshake", "truncation", "close_notify never answered", "ALPN only offered",
    "wrong name",
)  # fmt: skip
CLIENT_SCENARIOS = (
    "ok", "injection behind the go-ahead", "silent in mid-handshake", "untrusted server",
    "wrong name",
)  # fmt: skip
TLS_FIRST_CLIENT_SCENARIOS = (
    "ok", "silent in mid-handshake", "truncation", "untrusted server", "wrong name",
    "client certificate missing",
)  # fmt: skip


def _server_options() -> Any:
    files = temporary_certificates().server
    assert files.certificate is not None and files.key is not None
    pem = files.certificate.read_bytes() + files.key.read_bytes()
    return PrivateCertificate.loadPEM(pem).options()


def _client_options() -> Any:
    authority = Certificate.loadPEM(temporary_certificates().authority.read_bytes())
    return optionsForClientTLS("localhost", trustRoot=authority)


def _factory(make: Callable[[], Any], **attributes: Any) -> Any:
    class Foreign(Factory):
        noisy = False

        def buildProtocol(self, addr: object) -> Any:
            protocol = make()
            protocol.factory = self
            return protocol

    factory = Foreign()
    vars(factory).update(attributes)
    return factory


def _smtp_server() -> Any:
    protocol = ESMTP(contextFactory=_server_options())
    protocol.host = b"localhost"
    return protocol


class _SMTPClient(ESMTPClient):
    """Has nothing to send."""

    requireAuthentication = False  # noqa: N815

    def getMailFrom(self) -> None:  # noqa: N802
        """Return None: there is no mail."""


def _smtp_client() -> Any:
    return _SMTPClient(b"secret", _client_options(), b"client.test.example")


class _LDAPClient(LDAPClient):  # type: ignore[misc]
    """Starts TLS as soon as it is connected, and ends with an unbindRequest."""

    def connectionMade(self) -> None:
        super().connectionMade()
        # It waits for an iteration of the global reactor, and there is none in memory.
        at_once = SimpleNamespace(callLater=lambda delay, call, *arguments: call(*arguments))
        with patch.object(ldapclient, "reactor", at_once):
            started = self.startTLS(_client_options())
        started.addCallbacks(lambda client: client.unbind(), lambda reason: None)


def _ldap_proxy() -> Any:
    proxy = ProxyBase()
    proxy.clientConnector = Deferred
    return proxy


_SMTP: dict[str, Any] = {
    "dialect": "smtp",
    "hide": (rb"\d+ [A-Z][a-z]{2} \d{4}.*", rb"[A-Z][a-z]{2}, \d.*"),
}

_HTTP: dict[str, Any] = {
    "answer": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
}

_UNBIND = b"0\x05\x02\x01\x02B\x00"
"""An unbindRequest (RFC 4511, section 4.3), after which a server closes the connection."""

_MESSAGE_ID = (rb"(?s)\x02\x01.",)
"""ldaptor counts the messages of the whole process."""

SUBJECTS: Mapping[str, Callable[[], Subject]] = {
    "twisted.mail-smtp-server": lambda: Subject(
        lambda: _factory(_smtp_server, timeout=600), question=b"NOOP\r\n", farewell=b"QUIT\r\n",
        injected=b"NOOP\r\n", **_SMTP,
    ),
    "twisted.mail-smtp-client": lambda: Subject(
        lambda: _factory(_smtp_client), End.CLIENT, answer=b"250 localhost\r\n",
        injected=b"250 injected\r\n", **_SMTP,
    ),
    "twisted.mail-imap-server": lambda: Subject(
        lambda: _factory(lambda: IMAP4Server(contextFactory=_server_options())), dialect="imap",
        question=b"q NOOP\r\n", farewell=b"q LOGOUT\r\n", injected=b"i NOOP\r\n",
    ),
    "ldaptor-proxy": lambda: Subject(
        lambda: _factory(_ldap_proxy, options=_server_options()), dialect="ldap",
        question=_UNBIND, injected=_UNBIND,
    ),
    "ldaptor-client": lambda: Subject(
        lambda: _factory(_LDAPClient), End.CLIENT, dialect="ldap", hide=_MESSAGE_ID,
    ),
    "scrapy-client": lambda: Subject(scrapy_client(), End.CLIENT, **_HTTP),
    "scrapy-verifying-client": lambda: Subject(
        scrapy_client(DOWNLOAD_VERIFY_CERTIFICATES=True), End.CLIENT, **_HTTP,
    ),
}  # fmt: skip
"""What is pinned, by name."""


@dataclass(frozen=True)
class Case:
    """One protocol in one situation."""

    name: str
    scenario: str

    @property
    def path(self) -> Path:
        """The file of the pin."""
        return FOLDER / f"{self.name}-{self.scenario.replace(' ', '-')}.json"

    def seen(self) -> Pin:
        """Make the connection."""
        # Scrapy trusts those whom the system trusts; Twisted reads it when it connects first.
        trusted = {"SSL_CERT_FILE": str(temporary_certificates().authority)}
        with patch.dict(os.environ, trusted):
            return Pin(observe_in_memory(SUBJECTS[self.name](), self.scenario))


def cases() -> Iterator[Case]:
    """Return all of them."""
    for name, subject in SUBJECTS.items():
        for scenario in _scenarios(subject()):
            yield Case(name, scenario)


def _scenarios(subject: Subject) -> tuple[str, ...]:
    if subject.end is End.SERVER:
        return SERVER_SCENARIOS
    return CLIENT_SCENARIOS if subject.negotiates else TLS_FIRST_CLIENT_SCENARIOS


def differing() -> dict[str, list[str]]:
    """Return the lifelines that differ, by the name of the file."""
    compared = {each.path.stem: each.seen().differing(Pin.read(each.path)) for each in cases()}
    return {name: lifelines for name, lifelines in compared.items() if lifelines}


if __name__ == "__main__":
    if "--update" in sys.argv:
        for case in cases():
            case.seen().write(case.path)
    print(json.dumps(differing()))
