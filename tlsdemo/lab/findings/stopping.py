"""A finding about the connections of a process that is stopped."""

from __future__ import annotations

import sys

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.net.child_process import ChildProcess, split_lines
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


async def _stopped(testbed: Testbed) -> Evidence:
    own = testbed.certificates.server
    command = [sys.executable, "-c", _SERVER, *map(_quoted, (own.certificate, own.key))]
    ports: list[bytes] = []
    child = ChildProcess(testbed.reactor, command, stdout=split_lines(ports.append))
    try:
        await testbed.require("start", lambda: ports, _START_TIMEOUT)
        peer = await testbed.connect_secured(int(ports[0]))
        # The session tickets.
        await testbed.pause(0.05)
        before = len(peer.wire)
        child.send_signal("TERM")
        await testbed.require("end", lambda: peer.lost and child.returncode is not None)
    finally:
        await child.stop(0.0)
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
