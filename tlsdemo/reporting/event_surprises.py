"""The differences between the ways to secure a connection that matter most, found in a matrix.

Each is a sentence, why it matters, and a table of who behaves how.  It is told only if the matrix
has it: what a release changes is not claimed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tlsdemo.reporting.event_matrix import THEN, EventMatrix
from tlsdemo.reporting.grouping import Group, by_scenario, grouped, names_of
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import SECURED, Observation

_DATA = (
    "first bytes in",
    "dataReceived",
    "data_received",
    "read returned",
    "data",
    "cleartext data",
)
"""The events by which the stacks deliver the first data."""


@dataclass(frozen=True)
class Surprise:
    """A difference, if any cell of its scenario is surprising.

    ``shown`` says what a cell does, and ``column`` what that is.
    """

    title: str
    why: str
    scenario: str
    column: str
    shown: Callable[[Observation], str]
    surprising: Callable[[Observation], bool]


@dataclass(frozen=True)
class Told:
    """A difference that was found, with the cells that behave alike."""

    surprise: Surprise
    groups: Sequence[Group]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Who, and what they do."""
        shown = self.surprise.shown
        return [(group.configurations, shown(group.first)) for group in self.groups]


def told(matrix: EventMatrix) -> Iterator[Told]:
    """Find the differences that ``matrix`` has."""
    names = names_of(matrix.cells)
    scenarios = by_scenario(matrix.cells)
    for each in SURPRISES:
        cells = [cell for cell in scenarios.get(each.scenario, ()) if each.shown(cell)]
        if any(map(each.surprising, cells)):
            yield Told(each, grouped(cells, each.shown, names))


def _server(cell: Observation) -> str:
    return cell.outcome(End.SERVER).text


def _client(cell: Observation) -> str:
    return cell.outcome(End.CLIENT).text


def _server_in_order(cell: Observation) -> bool:
    return cell.outcome(End.SERVER).in_order


def _client_secure(cell: Observation) -> bool:
    return cell.tls == "1.3" and "secure" in _client(cell).split(", ")


def _secured_by(cell: Observation) -> str:
    return ", ".join(each for each in SECURED if each in cell.sequences[0].server)


def _first_data(cell: Observation) -> str:
    server = cell.sequences[0].server
    secured = [each for each in server if each in SECURED][-1:]
    data = [each for each in server if each in _DATA][:1]
    return THEN.join(sorted(secured + data, key=server.index)) if secured and data else ""


def _data_first(cell: Observation) -> bool:
    return _first_data(cell).split(THEN)[0] in _DATA


def _flight(cell: Observation) -> str:
    for event in cell.traces[0].marks(End.SERVER):
        if event.name == "handshakeCompleted" and "flight" in event.facts:
            return "sent" if event.facts["flight"] else "not sent yet"
    return ""


SURPRISES = (
    Surprise(
        "A client that offers ALPN cannot connect to a stock Twisted server that knows none.",
        "Offering is harmless by RFC 7301, and browsers, curl and many libraries do it. Their "
        "handshake fails, and the log does not say why.",
        "ALPN only offered",
        "the server is told",
        _server,
        lambda cell: cell.stack.startswith("twisted") and not _server_in_order(cell),
    ),
    Surprise(
        "A client of TLS 1.3 is told that it is secure before the server has refused it.",
        "Its certificate is looked at after its handshake is complete. What it writes meanwhile is "
        "lost. It knows that it was accepted only when the server has sent something.",
        "client certificate missing",
        "the client is told",
        _client,
        _client_secure,
    ),
    Surprise(
        "A connection that was cut looks to many like one that was closed.",
        "Whoever is on the network can end it where it suits them. Only close_notify proves that "
        "nothing is missing (RFC 8446, section 6.1).",
        "EOF after the handshake",
        "the server is told",
        _server,
        _server_in_order,
    ),
    Surprise(
        "handshakeCompleted fires before our own last messages are sent.",
        "Who aborts in it takes them back: the peer's handshake then fails, although ours has been "
        "reported as complete.",
        "ok with client certificate",
        "at handshakeCompleted, the server's last messages are",
        _flight,
        lambda cell: _flight(cell) == "not sent yet",
    ),
    Surprise(
        "asyncio delivers data before start_tls has returned.",
        "A protocol that takes everything before that for plaintext treats the first data of the "
        "secure connection as if it were not protected.",
        "ok",
        "what the server is told, in order",
        _first_data,
        _data_first,
    ),
    Surprise(
        "On an accepted connection of Node's, the documented secureConnect never fires.",
        "An undocumented secure does. Each stack has an event of its own for the same moment.",
        "ok",
        "the server is told by",
        _secured_by,
        lambda cell: cell.stack.startswith("node") and "secureConnect" not in _secured_by(cell),
    ),
    Surprise(
        "A handshake that breaks off is no failure to some.",
        "Whoever counts errors does not see the scanners and the attacks that end like this.",
        "EOF during the handshake",
        "the server is told",
        _server,
        _server_in_order,
    ),
    Surprise(
        "Whether a client that your application rejects was secure before depends on the version.",
        "With TLS 1.2 its handshake is interrupted; with TLS 1.3 it has been complete, and the "
        "client cannot tell the rejection from a cut.",
        "rejected by the server's application",
        "the client is told",
        _client,
        _client_secure,
    ),
)
