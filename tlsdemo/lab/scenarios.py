"""PURE.  The scenarios, as data: what each end is configured with and does, and what goes wrong.

In each of them one end writes first, the other one answers, and one of them performs the final
action.  A fault is something that the relay between the two ends does to the records.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from tlsdemo.trace.model import End
from tlsdemo.trace.record import Kind, Record


class CertificateKind(enum.Enum):
    """The certificate that an end presents."""

    GOOD = "good"
    NONE = "none"
    UNTRUSTED = "of an authority that the peer does not know"
    EXPIRED = "expired"


class Action(enum.Enum):
    """What happens after the answer."""

    CLOSE = "the end closes the connection with close_notify"
    CLOSE_UNANSWERED = "the same, but the relay drops the peer's close_notify"
    CUT = "the relay ends both connections with a FIN, without close_notify"
    RESET = "the relay resets both connections"


class FaultAction(enum.Enum):
    """What the relay does with the record that triggers a fault."""

    CUT = "drops it, and ends both connections with a FIN"
    SILENCE = "drops it and everything after it in both directions, a FIN or RST included"
    REPLACE = "forwards other bytes instead"
    APPEND = "forwards it, with other bytes right behind it"


@dataclass(frozen=True)
class Fault:
    """A fault of the network, triggered by the first record of this kind from ``sender``.

    ``data``: the bytes that the relay adds to the stream.
    """

    sender: End
    kind: Kind
    action: FaultAction
    data: bytes = b""

    def matches(self, sender: End, record: Record) -> bool:
        """Return whether ``record`` triggers this fault."""
        return sender is self.sender and record.kind is self.kind


@dataclass(frozen=True)
class EndpointSettings:
    """The TLS settings of one end."""

    certificate: CertificateKind = CertificateKind.GOOD
    alpn: tuple[str, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """One connection to be made and observed.

    By default the client has no certificate and the server does not request one; the client
    writes, the server answers, and the client closes the connection with close_notify.

    Attributes:
        name: What users call it (``--way``).
        description: One sentence.
        server: The TLS settings of the server.
        client: The TLS settings of the client.
        client_certificate_required: Whether the server requires a client certificate.
        expected_name: The name that the client expects in the server's certificate.
        versions_differ: Whether the client supports only the other version of TLS.
        writes_first: The end that writes first.
        action_by: The end that performs ``action``, once it has received data.
        action: How the connection ends.
        rejected_by: The end whose application rejects the peer when the connection is secure.
        fault: What goes wrong on the network.
        one_segment: Whether the relay joins what an end sends at about the same time into one
            segment.
        resumes: Whether an identical connection is made before, whose session is resumed.
        s_client_command: The command to give to ``openssl s_client``, which is then the client:
            R for a renegotiation, K for a KeyUpdate (openssl-s_client(1), CONNECTED COMMANDS).
        needs_negotiation: Whether it needs a plaintext negotiation before TLS.
        only_tls: The only version of TLS in which it is possible; empty for all.
    """

    name: str
    description: str
    server: EndpointSettings = field(default_factory=EndpointSettings)
    client: EndpointSettings = field(default_factory=lambda: EndpointSettings(CertificateKind.NONE))
    client_certificate_required: bool = False
    expected_name: str = "localhost"
    versions_differ: bool = False
    writes_first: End = End.CLIENT
    action_by: End = End.CLIENT
    action: Action = Action.CLOSE
    rejected_by: End | None = None
    fault: Fault | None = None
    one_segment: bool = False
    resumes: bool = False
    s_client_command: str = ""
    needs_negotiation: bool = False
    only_tls: str = ""


_WITH_CERTIFICATE = EndpointSettings(CertificateKind.GOOD)
_HTTP, _POSTGRES = ("http/1.1",), ("postgresql",)

GARBAGE = b"GET / HTTP/1.0\r\n\r\n"
INJECTED = b"INJECTED\r\n"

_ALL = (
    Scenario("ok", "Nothing goes wrong: the client asks, the server answers, the client closes."),
    Scenario(
        "ok with client certificate",
        "The server requires a client certificate, and the client has a good one.",
        client=_WITH_CERTIFICATE,
        client_certificate_required=True,
    ),
    Scenario(
        "resumed",
        "The client resumes the session of an earlier connection.",
        client=_WITH_CERTIFICATE,
        client_certificate_required=True,
        resumes=True,
    ),
    Scenario(
        "client certificate missing",
        "The server requires a client certificate, and the client has none.",
        client_certificate_required=True,
    ),
    Scenario(
        "client certificate untrusted",
        "The client's certificate is from an authority that the server does not trust.",
        client=EndpointSettings(CertificateKind.UNTRUSTED),
        client_certificate_required=True,
    ),
    Scenario(
        "client certificate expired",
        "The client's certificate expired a year ago.",
        client=EndpointSettings(CertificateKind.EXPIRED),
        client_certificate_required=True,
    ),
    Scenario(
        "wrong name",
        "The server's certificate is good, but not for the name that the client expects.",
        expected_name="wrong.example",
    ),
    Scenario(
        "untrusted server",
        "The server's certificate is from an authority that the client does not trust.",
        server=EndpointSettings(CertificateKind.UNTRUSTED),
    ),
    Scenario(
        "no common version",
        "Client and server have no version of TLS in common.",
        versions_differ=True,
    ),
    Scenario(
        "ALPN only offered",
        "The client offers ALPN, and the server has no protocols configured.",
        client=EndpointSettings(CertificateKind.NONE, _POSTGRES),
    ),
    Scenario(
        "no ALPN in common",
        "Client and server have no ALPN protocol in common.",
        server=EndpointSettings(alpn=_HTTP),
        client=EndpointSettings(CertificateKind.NONE, _POSTGRES),
    ),
    Scenario(
        "silent in the handshake",
        "From the server's first flight on, nothing reaches either end.",
        fault=Fault(End.SERVER, Kind.HANDSHAKE, FaultAction.SILENCE),
    ),
    Scenario(
        "garbage",
        "Where the server expects a ClientHello, something else arrives.",
        fault=Fault(End.CLIENT, Kind.HANDSHAKE, FaultAction.REPLACE, GARBAGE),
    ),
    Scenario(
        "EOF before the handshake",
        "Both ends receive a FIN instead of the ClientHello.",
        fault=Fault(End.CLIENT, Kind.HANDSHAKE, FaultAction.CUT),
    ),
    Scenario(
        "EOF during the handshake",
        "Both ends receive a FIN instead of the server's first flight.",
        fault=Fault(End.SERVER, Kind.HANDSHAKE, FaultAction.CUT),
    ),
    Scenario(
        "EOF after the handshake",
        "Both ends receive a FIN after the answer, without close_notify.",
        action=Action.CUT,
    ),
    Scenario("RST", "Both ends receive a RST after the answer.", action=Action.RESET),
    Scenario(
        "server writes first",
        "The server's application writes as soon as it is connected, and the client answers.",
        writes_first=End.SERVER,
    ),
    Scenario(
        "data together with Finished",
        "What an end sends at about the same time arrives in one segment.",
        one_segment=True,
    ),
    Scenario(
        "rejected by the server's application",
        "The server's application rejects the client, whose first data came with its Finished.",
        client=_WITH_CERTIFICATE,
        client_certificate_required=True,
        rejected_by=End.SERVER,
        one_segment=True,
    ),
    Scenario(
        "rejected by the client's application",
        "The client's application rejects the server, whose first data came with the handshake.",
        rejected_by=End.CLIENT,
        writes_first=End.SERVER,
        one_segment=True,
    ),
    Scenario("closed by the server", "The server closes after its answer.", action_by=End.SERVER),
    Scenario(
        "close_notify unanswered",
        "The client closes with close_notify, and the server's close_notify never arrives.",
        action=Action.CLOSE_UNANSWERED,
    ),
    Scenario(
        "renegotiation",
        "The client requests a new handshake on the same connection.",
        s_client_command="R",
        only_tls="1.2",
    ),
    Scenario(
        "KeyUpdate",
        "The client updates its keys, and requests the server to update its own.",
        s_client_command="K",
        only_tls="1.3",
    ),
    Scenario(
        "injection behind the request",
        "A line of plaintext is injected right behind the request for TLS.",
        fault=Fault(End.CLIENT, Kind.PLAIN, FaultAction.APPEND, INJECTED),
        needs_negotiation=True,
    ),
    Scenario(
        "injection behind the go-ahead",
        "A line of plaintext is injected right behind the server's go-ahead.",
        fault=Fault(End.SERVER, Kind.PLAIN, FaultAction.APPEND, INJECTED),
        needs_negotiation=True,
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in _ALL}
"""The scenarios by name, in the order in which they are listed."""


def inapplicable(scenario: Scenario, tls: str, negotiates: bool) -> str:
    """Return why this scenario is not possible, or ``""`` if it is.

    ``negotiates``: whether there is a plaintext negotiation before TLS.
    """
    if scenario.only_tls and scenario.only_tls != tls:
        return f"only possible with TLS {scenario.only_tls}"
    if scenario.needs_negotiation and not negotiates:
        return "there is no negotiation before TLS"
    return ""
