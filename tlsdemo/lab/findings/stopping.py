"""Findings about what becomes of connections when the process is stopped."""

from __future__ import annotations

import sys

from tlsdemo.lab.findings.finding import Evidence, Finding, evidence
from tlsdemo.lab.findings.testbed import Testbed
from tlsdemo.net.child_process import ChildProcess, split_lines

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

_START_WITHIN = 10.0


async def _stopped(lab: Testbed) -> Evidence:
    own = lab.certificates.server
    command = [sys.executable, "-c", _SERVER, *map(_quoted, (own.certificate, own.key))]
    ports: list[bytes] = []
    child = ChildProcess(lab.reactor, command, stdout=split_lines(ports.append))
    try:
        await lab.must("start", lambda: ports, _START_WITHIN)
        peer = await lab.secured(int(ports[0]))
        # The session tickets are the last that comes by itself.
        await lab.pause(0.05)
        before = len(peer.wire)
        child.send_signal("TERM")
        await lab.must("end", lambda: peer.lost and child.returncode is not None)
    finally:
        await child.stop(0.0)
    return evidence(
        len(peer.wire) == before,
        "a server on an ssl: endpoint, with one open connection, gets SIGTERM",
        f"then came on the wire: {len(peer.wire) - before} B, and the end of TCP",
        "close_notify would be a record of 24 B",
    )


def _quoted(path: object) -> str:
    return str(path).replace("\\", "\\\\").replace(":", "\\:")


FINDINGS = (
    Finding(
        "stopped-without-close-notify",
        "A server that is stopped cuts its connections off, as an attacker would.",
        "On SIGTERM the reactor closes the sockets: no close_notify, and what was still to be "
        "written is dropped. To the peers that is a truncation like that of a crash or an "
        "attack, and every restart is an error in their logs. Close the connections with "
        "loseConnection() in a shutdown trigger, and wait for them, for a bounded time; "
        "tlsdemo's server drains when it is stopped.",
        _stopped,
        deadline=2 * _START_WITHIN,
    ),
)
