"""Tracing one end of a connection: its events, the state at each, and the records it sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.record_reader import RecordReader
from tlsdemo.trace.redaction import Redaction
from tlsdemo.trace.timeline import CloseFacts, Event, Fact, ToldText, cause_and_detail, facts_of
from tlsdemo.trace.tls_names import alert_name


class ConnectionObserver:
    """An observer that reports events as marks and TLS records as arrows.

    The state of the connection at that moment is added to the facts of each event:

    - ``peer``: whether the peer's certificate has been received;
    - ``alpn``: the application protocol, or ``""``;
    - ``flight``: whether everything that OpenSSL has sent has been written to the transport;
    - ``write``: whether data that the application wrote now would be sent.

    Args:
        end: The end that is observed.
        clock: Returns the time in seconds.
        began: The time that all other times count from.
        report: Called with each mark and arrow.
        wire: Whether records are reported; not needed if a relay between the ends reports them.
        close_facts: Makes the facts that describe a close reason.

    ``connection`` is the OpenSSL connection, once there is one.
    """

    detailed = True

    def __init__(
        self,
        end: End,
        clock: Callable[[], float],
        began: float,
        report: Callable[[Mark | Arrow], object],
        *,
        wire: bool = True,
        close_facts: CloseFacts = cause_and_detail,
    ) -> None:
        self.end = end
        self.connection: Any = None
        self._clock = clock
        self._began = began
        self._report = report
        self._wire = wire
        self._close_facts = close_facts
        # What a client sends before TLS may be a password, and a server may repeat it.
        redaction = Redaction()
        self._readers = {
            End.CLIENT: RecordReader(redaction.of_client),
            End.SERVER: RecordReader(redaction.of_server),
        }
        self._hello_seen = end is End.CLIENT

    def tls_created(self, connection: object) -> None:
        """Add the state of ``connection`` to events from now on."""
        self.connection = connection

    def event(self, name: str, **facts: object) -> None:
        """Report an event, with the present state."""
        level, description = facts.get("level"), facts.get("description")
        if isinstance(level, int) and isinstance(description, int):
            facts = {"alert": alert_name(level, description)}
        known = facts_of(name, facts, self._close_facts)
        texts = {
            key: value if isinstance(value, str | int | float | None) else ToldText.of(value.value)
            for key, value in known.items()
        }
        event = Event(name, self._clock() - self._began, {**texts, **self._state()})
        self._report(Mark(self.end, event))

    detail = event

    def wire(self, sent: bool, data: bytes) -> None:
        """Report the records that ``data`` completes."""
        if self._hello_seen and not self._wire:
            return
        sender = self.end if sent else self.end.other
        at = self._clock() - self._began
        for record in self._readers[sender].feed(data):
            if self._wire:
                self._report(Arrow(sender, at, record))
            if not self._hello_seen and "client_hello" in record.messages:
                self._hello_seen = True
                self.event("ClientHello seen")

    def _state(self) -> dict[str, Fact]:
        connection = self.connection
        if connection is None:
            return {}
        return {
            "peer": connection.get_peer_certificate() is not None,
            "alpn": connection.get_alpn_proto_negotiated().decode("ascii", "backslashreplace"),
            "flight": connection.observation.flight_written,
            "write": connection.observation.can_write,
        }


class SeveralObservers:
    """Reports events to several observers, and details to those that want them."""

    def __init__(self, observers: Sequence[Any]) -> None:
        self._observers = observers
        self._detailed = [each for each in observers if each.detailed]
        self.detailed = bool(self._detailed)
        self.states = any(getattr(each, "states", True) for each in self._detailed)

    def event(self, name: str, **facts: object) -> None:
        """Report an event to all."""
        for each in self._observers:
            each.event(name, **facts)

    def detail(self, name: str, **facts: object) -> None:
        """Report a detail to those that want it."""
        for each in self._detailed:
            each.detail(name, **facts)

    def wire(self, sent: bool, data: bytes) -> None:
        """Report bytes of the wire to those that want details."""
        for each in self._detailed:
            each.wire(sent, data)

    def tls_created(self, connection: object) -> None:
        """Report OpenSSL's connection to those that want details."""
        for each in self._detailed:
            each.tls_created(connection)
