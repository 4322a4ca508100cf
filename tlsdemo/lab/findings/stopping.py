"""A finding about the connections of a process that is stopped."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.reporting.finding_result import Evidence

_SERVER = """
import sys
from twisted.internet import endpoints, reactor
from twisted.internet.protocol import Factory, Protocol
endpoint = endpoints.serverFromString(
    reactor, f"ssl:0:interface=127.0.0.1:certKey={sys.argv[1]}:privateKey={sys.argv[2]}"
)
listening = endpoint.listen(Factory.forProtocol(Protocol))
listening.addCallback(lambda port: print(port.getHost().port, flush=True))
reactor.run()
"""

_START_TIMEOUT = 10.0


class _Child(ProcessProtocol):
    """A server in a child process, which prints its port."""

    transport: Any

    def __init__(self) -> None:
        self.output = b""
        self.ended = False

    def outReceived(self, data: bytes) -> None:
        """Collect its output."""
        self.output += data

    def processEnded(self, reason: Failure) -> None:
        """Record that it has ended."""
        self.ended = True

    def signal(self, name: str) -> None:
        """Send a signal, unless the process has ended."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess(name)


async def _stopped(testbed: Testbed) -> Evidence:
    child, own = _Child(), testbed.certificates.server
    command = [sys.executable, "-c", _SERVER, *map(_quoted, (own.certificate, own.key))]
    testbed.reactor.spawnProcess(child, sys.executable, command, env=None)
    try:
        await testbed.require("start", lambda: child.output.endswith(b"\n"), _START_TIMEOUT)
        peer = await testbed.connect_secured(int(child.output))
        # The session tickets.
        await testbed.pause(0.05)
        before = len(peer.wire)
        child.signal("TERM")
        await testbed.require("end", lambda: peer.lost and child.ended)
    finally:
        child.signal("KILL")
        await testbed.wait_until(lambda: child.ended)
    return evidence(
        len(peer.wire) == before,
        "a server on an ssl: endpoint with one open connection receives SIGTERM",
        f"the client then receives {len(peer.wire) - before} B, and the end of TCP",
        "a close_notify would be a record of 24 B",
    )


def _quoted(path: object) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


FINDINGS = (
    Finding(
        "stopped-without-close-notify",
        "A server that is stopped truncates its connections, as an attacker would.",
        "On SIGTERM the reactor closes the sockets. No close_notify is sent, and pending writes "
        "are discarded. To the peers this is a truncation, which looks like a crash or an attack, "
        "so every restart appears as an error in their logs. Close the connections with "
        "loseConnection() in a shutdown trigger, and wait for them with a timeout; tlsdemo's "
        "server drains its connections when it is stopped.",
        _stopped,
        timeout=2 * _START_TIMEOUT,
    ),
)
