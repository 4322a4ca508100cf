"""PURE.  The ways that a connection can go, as data: what is shown and done, and goes wrong."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind, Record


class Shown(enum.Enum):
    """The certificate that an end shows."""

    GOOD = "good"
    NONE = "none"
    UNTRUSTED = "of an authority that the peer does not know"
    EXPIRED = "expired"


class Action(enum.Enum):
    """What happens once the conversation is over."""

    CLOSE = "closes in order"
    CLOSE_UNANSWERED = "closes in order, and the peer's answer never comes"
    CUT = "the wire ends, without close_notify"
    RESET = "the wire is reset"


class Act(enum.Enum):
    """What the relay between the ends does when it sees what a fault waits for."""

    CUT = "ends both wires, and passes nothing"
    SILENCE = "passes nothing any more, not even an end"
    REPLACE = "passes other bytes instead"
    APPEND = "passes other bytes right behind"


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong on the wire: at the first such record of ``sender``."""

    sender: End
    kind: Kind
    act: Act
    data: bytes = b""

    def meets(self, sender: End, record: Record) -> bool:
        """Tell whether this is what it waits for."""
        return sender is self.sender and record.kind is self.kind


@dataclass(frozen=True)
class Side:
    """What one end brings along."""

    shows: Shown = Shown.GOOD
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One way that a connection can go.

    Unless said otherwise: the client shows no certificate and the server wants none; the client
    asks, the server answers, and the client closes in order.

    ``speaks``: the end that writes first.  ``ends``: the end that does ``does`` when it has been
    answered, or has answered.  ``rejects``: the end whose application says no when it is told
    ``secure``.  ``together``: the relay holds back what comes within a moment, so that it
    arrives in one segment.  ``resumes``: a connection like this one was made before it.
    ``keys``: what is typed into ``openssl s_client``, which is then the client.
    """

    name: str
    sentence: str
    server: Side = field(default_factory=Side)
    client: Side = field(default_factory=lambda: Side(Shown.NONE))
    client_certificate_wanted: bool = False
    client_expects: str = "localhost"
    other_version: bool = False
    speaks: End = End.CLIENT
    ends: End = End.CLIENT
    does: Action = Action.CLOSE
    rejects: End | None = None
    fault: Fault | None = None
    together: bool = False
    resumes: bool = False
    keys: str = ""
    needs_words: bool = False
    only_tls: str = ""


_WITH_CERTIFICATE = Side(Shown.GOOD)
_HTTP, _POSTGRES = ("http/1.1",), ("postgresql",)

GARBAGE = b"GET / HTTP/1.0\r\n\r\n"
INJECTED = b"INJECTED\r\n"

_ALL = (
    Scenario("ok", "Nothing goes wrong: question, answer, and the client closes."),
    Scenario(
        "ok with client certificate",
        "The server demands a certificate, and the client shows a good one.",
        client=_WITH_CERTIFICATE,
        client_certificate_wanted=True,
    ),
    Scenario(
        "resumed",
        "The client resumes a session that an earlier connection has left.",
        client=_WITH_CERTIFICATE,
        client_certificate_wanted=True,
        resumes=True,
    ),
    Scenario(
        "client certificate missing",
        "The server demands a certificate, and the client has none.",
        client_certificate_wanted=True,
    ),
    Scenario(
        "client certificate untrusted",
        "The client's certificate is of an authority that the server does not know.",
        client=Side(Shown.UNTRUSTED),
        client_certificate_wanted=True,
    ),
    Scenario(
        "client certificate expired",
        "The client's certificate was good a year ago.",
        client=Side(Shown.EXPIRED),
        client_certificate_wanted=True,
    ),
    Scenario(
        "wrong name",
        "The server's certificate is good, but not for the name that the client expects.",
        client_expects="wrong.example",
    ),
    Scenario(
        "untrusted server",
        "The server's certificate is of an authority that the client does not know.",
        server=Side(Shown.UNTRUSTED),
    ),
    Scenario(
        "no common version", "The client has only another version of TLS.", other_version=True
    ),
    Scenario(
        "ALPN only offered",
        "The client offers a protocol, and the server was told of none.",
        client=Side(Shown.NONE, _POSTGRES),
    ),
    Scenario(
        "no ALPN in common",
        "The client offers one protocol, and the server has only another.",
        server=Side(alpn=_HTTP),
        client=Side(Shown.NONE, _POSTGRES),
    ),
    Scenario(
        "silent in the handshake",
        "From the server's first flight on, neither hears anything of the other.",
        fault=Fault(End.SERVER, Kind.HANDSHAKE, Act.SILENCE),
    ),
    Scenario(
        "garbage",
        "Where the server expects a ClientHello, something else comes.",
        fault=Fault(End.CLIENT, Kind.HANDSHAKE, Act.REPLACE, GARBAGE),
    ),
    Scenario(
        "EOF before the handshake",
        "The wire ends, for both, before the ClientHello arrives.",
        fault=Fault(End.CLIENT, Kind.HANDSHAKE, Act.CUT),
    ),
    Scenario(
        "EOF during the handshake",
        "The wire ends, for both, before the server's first flight arrives.",
        fault=Fault(End.SERVER, Kind.HANDSHAKE, Act.CUT),
    ),
    Scenario(
        "EOF after the handshake",
        "The wire ends, for both, after the answer, without close_notify.",
        does=Action.CUT,
    ),
    Scenario("RST", "The wire is reset, for both, after the answer.", does=Action.RESET),
    Scenario(
        "server writes first",
        "The server's application writes as soon as it is connected, and the client answers.",
        speaks=End.SERVER,
    ),
    Scenario(
        "data together with Finished",
        "What each end sends within a moment arrives in one segment.",
        together=True,
    ),
    Scenario(
        "rejected by the server's application",
        "The server's application says no in the callback; the client's first data came along.",
        client=_WITH_CERTIFICATE,
        client_certificate_wanted=True,
        rejects=End.SERVER,
        together=True,
    ),
    Scenario(
        "rejected by the client's application",
        "The client's application says no in the callback; the server's first data came along.",
        rejects=End.CLIENT,
        speaks=End.SERVER,
        together=True,
    ),
    Scenario("closed by the server", "The server closes after its answer.", ends=End.SERVER),
    Scenario(
        "close_notify unanswered",
        "The client closes in order, and the server's close_notify never arrives.",
        does=Action.CLOSE_UNANSWERED,
    ),
    Scenario(
        "renegotiation",
        "The client asks for a new handshake on the same connection.",
        keys="R",
        only_tls="1.2",
    ),
    Scenario(
        "KeyUpdate",
        "The client changes its keys, and asks the server to change its own.",
        keys="K",
        only_tls="1.3",
    ),
    Scenario(
        "injection behind the request",
        "A line in plain comes right behind the request for TLS.",
        fault=Fault(End.CLIENT, Kind.PLAIN, Act.APPEND, INJECTED),
        needs_words=True,
    ),
    Scenario(
        "injection behind the go-ahead",
        "A line in plain comes right behind the server's go-ahead.",
        fault=Fault(End.SERVER, Kind.PLAIN, Act.APPEND, INJECTED),
        needs_words=True,
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in _ALL}
"""The ways by name, in the order in which they are shown."""


def inapplicable(scenario: Scenario, tls: str, has_words: bool) -> str:
    """Return why there is no such connection, or ``""`` if there is.

    ``has_words``: whether anything is said in plain before TLS.
    """
    if scenario.only_tls and scenario.only_tls != tls:
        return f"only TLS {scenario.only_tls} has it"
    if scenario.needs_words and not has_words:
        return "nothing is said before TLS"
    return ""
