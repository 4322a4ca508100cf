"""A peer while it is measured: connections to it, its CPU time and its memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from OpenSSL import SSL

from bench.child import CannotMeasure, NotInstalled
from bench.cpu import cpu_seconds, cpu_when_idle
from bench.load.connection import Connection, Refused
from bench.load.opening import Opened, open_connections
from bench.load.pins import CIPHER, VERSION, X25519, Pins
from bench.memory import anonymous
from bench.peers.setup import Running
from bench.peers.sink_counters import CountersFile
from tlsdemo.certificates.files import Credentials
from tlsdemo.tls.groups import group_of

IN_FLIGHT = 100
"""Handshakes at a time, unless a measure asks for another number."""

_POLL = 0.002
_REFUSED_WITHIN = 3.0


class Server:
    """One running peer.

    ``deadline``: of time.monotonic(), when everything that waits gives up with CannotMeasure.
    """

    def __init__(
        self, running: Running, client: Credentials, sink: CountersFile, deadline: float
    ) -> None:
        self._running = running
        self._client = client
        self._contexts: dict[Pins, SSL.Context] = {}
        self.sink = sink
        self.deadline = deadline
        self.port = running.port

    # Connections.

    def context(self, pins: Pins) -> SSL.Context:
        """Return the context of clients with these pins."""
        if pins not in self._contexts:
            self._contexts[pins] = pins.client_context(self._client.certificate, self._client.key)
        return self._contexts[pins]

    def connect(self, pins: Pins, session: Any = None) -> Connection:
        """Begin a connection."""
        return Connection(self.context(pins), self.port, session)

    def open(
        self,
        count: int,
        pins: Pins | None = None,
        in_flight: int = IN_FLIGHT,
        session: Any = None,
        on_secured: Callable[[Connection], object] = lambda _: None,
        within: float = float("inf"),
    ) -> Opened:
        """Open ``count`` connections, ``within`` so many seconds."""
        pins = pins or Pins()
        deadline = min(self.deadline, time.monotonic() + within)
        return open_connections(
            lambda: self.connect(pins, session), count, in_flight, deadline, on_secured
        )

    def prove(self, opened: Opened) -> None:
        """Send a byte on every connection, and wait until all have come out of the proxy.

        Under TLS 1.3 a client does not learn otherwise that the server has accepted it.
        """
        before = self.sink.received
        for each in opened.connections:
            each.send(b"x")
        self.wait_for(before + len(opened.connections))

    def wait_for(self, received: int, perhaps: int = 0) -> None:
        """Wait until the sink has received so many bytes in all, and ``perhaps`` some more."""
        while (arrived := self.sink.received) < received:
            if time.monotonic() > self.deadline:
                raise CannotMeasure(f"{received - arrived:,} bytes did not arrive")
            self.check_alive()
            time.sleep(_POLL)
        if arrived > received + perhaps:
            raise CannotMeasure(f"{arrived - received:,} bytes too many arrived")

    def check_alive(self) -> None:
        """Raise CannotMeasure if the peer's process has ended."""
        if not self._running.child.running:
            raise CannotMeasure(f"the proxy has ended: {self._running.child.last_line}")

    # Checks of what is pinned.

    def check(self, pins: Pins) -> None:
        """Check that the peer agrees to what is pinned, and refuses whom it has to refuse."""
        try:
            opened = self.open(1, pins)
        except CannotMeasure as problem:
            if pins.group == X25519:
                raise
            raise NotInstalled(f"its OpenSSL has no {pins.group}: {problem}") from None
        try:
            tls = opened.connections[0].tls
            found = (tls.get_protocol_version_name(), tls.get_cipher_name(), group_of(tls))
            # OpenSSL has groups in other capitals than its options take them.
            group = pins.group if (found[2] or pins.group).lower() == pins.group.lower() else None
            wanted = (VERSION, CIPHER, pins.group)
            if (*found[:2], group) != wanted:
                raise CannotMeasure(f"it negotiates {found}, not {wanted}")
            certificate = tls.get_peer_certificate()
            key = None if certificate is None else certificate.get_pubkey().to_cryptography_key()
            curve = getattr(getattr(key, "curve", None), "name", None)
            if curve != "secp256r1":
                raise CannotMeasure(f"its certificate's curve is {curve}, not P-256")
            self.prove(opened)
        finally:
            opened.close()
        if pins.client_certificate:
            self._check_refusal(Pins(pins.group, client_certificate=False))

    def _check_refusal(self, without: Pins) -> None:
        """Raise CannotMeasure if a client without a certificate is not refused."""
        before = self.sink.received
        deadline = time.monotonic() + _REFUSED_WITHIN
        try:
            opened = self.open(1, without)
        except CannotMeasure:
            return
        try:
            opened.connections[0].send(b"x")
            while time.monotonic() < deadline:
                opened.connections[0].read()
                time.sleep(_POLL)
        except Refused:
            pass
        else:
            raise CannotMeasure("a client without a certificate is not refused")
        finally:
            opened.close()
        if self.sink.received != before:
            raise CannotMeasure("a client without a certificate gets its data through")

    # What it uses.

    @property
    def pid(self) -> int:
        """The number of its process."""
        return self._running.child.pid

    def cpu(self) -> float:
        """Return the CPU seconds so far."""
        return self._of(cpu_seconds)

    def cpu_when_idle(self) -> float:
        """Wait until it is idle, and return the CPU seconds so far."""
        return self._of(cpu_when_idle)

    def _of(self, read: Callable[[int], float]) -> float:
        try:
            return read(self._running.child.pid)
        except ProcessLookupError:
            raise CannotMeasure(f"the proxy has ended: {self._running.child.last_line}") from None

    def memory(self) -> int:
        """Return the bytes of memory that are its own: anonymous pages of all its processes."""
        return anonymous(self._running.child.pid)

    def events(self) -> int | None:
        """Return how often the application has been handed bytes, None if that is not counted."""
        return self._running.events()
