"""A reactor without sockets or processes, and what a load meets on it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock, StringTransportWithDisconnection
from twisted.python.failure import Failure

from tests.net.fake_processes import FakeProcess, FakeProcessStarter
from tests.support import MemoryTransport, now
from tlsdemo.certificates.demo_ca import DemoCertificates, demo_certificates
from tlsdemo.loadgen.schedule import Task
from tlsdemo.reporting.load_counters import LoadCounters

TASK = Task(
    connections=1,
    connect="tcp:192.0.2.1:8899",
    server_name="localhost",
    mode="clear",
    send="raw",
    packet_size=10,
    packets=0,
    burst=4,
    rate=0.0,
    in_flight=100,
    timeout=60.0,
    certificate="client.pem",
    key="client.key",
    authority="ca.pem",
)


@functools.cache
def strangers() -> DemoCertificates:
    """Demonstration certificates from another CA, which nobody trusts."""
    return demo_certificates(Path.cwd() / "strangers", "ecdsa", now())


def task(**changes: Any) -> Task:
    return replace(TASK, **changes)


class TurningClock(Clock):
    """A clock that can run one iteration of a reactor: calls that are due, but no new ones."""

    def turn(self) -> None:
        due = [call for call in self.calls if call.getTime() <= self.seconds()]
        for call in due:
            self.calls.remove(call)
            call.called = 1
            call.func(*call.args, **call.kw)


class Attempt:
    """A connection attempt."""

    def __init__(self, factory: Any, connector: Any) -> None:
        self._factory = factory
        self._connector = connector

    @property
    def given_up(self) -> bool:
        return self._connector.stoppedConnecting is True

    def accept(self, transport: MemoryTransport | None = None) -> MemoryTransport:
        transport = transport or MemoryTransport()
        transport.protocol = self._factory.buildProtocol(IPv4Address("TCP", "192.0.2.1", 8899))
        transport.protocol.makeConnection(transport)
        return transport

    def refuse(self) -> None:
        self._factory.clientConnectionFailed(self._connector, Failure(ConnectionRefusedError()))


class FakeWorker(FakeProcess):
    """A process, read and written as a worker's controller does."""

    last_report = b""

    @property
    def messages(self) -> list[Any]:
        return [json.loads(line) for line in self.written.splitlines()]

    @property
    def commands(self) -> list[str]:
        return [message["do"] for message in self.messages if "do" in message]

    def report(
        self,
        state: str,
        peers: Iterable[str] | None = None,
        latencies: Mapping[int, Any] | None = None,
        outstanding: int = 0,
        cpu: float = 0.0,
        at: float = 0.0,
        **counters: Any,
    ) -> None:
        begun = [each["windows"] for each in self.messages if each.get("do") == "begin"]
        report = {
            "state": state,
            "window": begun[-1][0]["number"] if begun else 0,
            "resting": "begin" not in self.commands or self.commands[-1] == "rest",
            "outstanding": outstanding,
            "counters": LoadCounters(**counters).as_json(),
            "latencies": latencies or {},
            "cpu": cpu,
            "at": at,
        }
        if peers is not None:
            report["peers"] = list(peers)
        self.last_report = json.dumps(report).encode() + b"\n"
        self.report_again()

    def report_again(self) -> None:
        """Say the same as before, as a worker does several times a second."""
        self.protocol.outReceived(self.last_report)


class FakeReactor(FakeProcessStarter, MemoryReactorClock):  # type: ignore[misc, unused-ignore]
    """Keeps what is started and connected to; time passes with ``advance``."""

    process_type = FakeWorker

    def __init__(self) -> None:
        super().__init__()
        self.hasStopped = False  # Twisted 24.7 begins with True

    def attempts(self) -> list[Attempt]:
        factories = [tcp[2] for tcp in self.tcpClients] + [unix[1] for unix in self.unixClients]
        return [Attempt(*each) for each in zip(factories, self.connectors, strict=True)]


class FakeStatus(StringTransportWithDisconnection):  # type: ignore[misc, unused-ignore]
    """A status service as the transport of its client; ``answers`` has a function per request.

    A request without one is not answered.
    """

    def __init__(self, answers: dict[str, Callable[[Any], object]]) -> None:
        super().__init__()
        self.answers = answers
        self.requests: list[Any] = []
        self.aborted = False

    def write(self, data: bytes) -> None:
        for line in data.splitlines():
            request = json.loads(line)
            self.requests.append(request)
            answer = self.answers.get(request["ask"])
            if answer is not None:
                self.protocol.dataReceived(json.dumps(answer(request)).encode() + b"\n")

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    def abortConnection(self) -> None:
        self.aborted = True
        self.connected = False
        self.protocol.connectionLost(Failure(ConnectionAborted()))

    def accept(self, attempt: Attempt) -> None:
        """Accept a connection attempt."""
        self.connected = True
        self.protocol = attempt._factory.buildProtocol(None)
        self.protocol.makeConnection(self)
