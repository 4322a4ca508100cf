"""Findings about closing a connection."""

from __future__ import annotations

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from tlsdemo.lab.findings.finding import Finding, evidence
from tlsdemo.lab.findings.recording_protocols import (
    HandshakeRecorder,
    RecordingProtocol,
    exception_name,
)
from tlsdemo.lab.findings.testbed import QUIET, NoVerdict, Testbed, limit_buffers
from tlsdemo.reporting.finding_result import Evidence


def _state(application: RecordingProtocol) -> str:
    return "lost" if application.lost else "open"


async def _lose_connection(testbed: Testbed) -> Evidence:
    lines, stuck = [], []
    connections = []
    for mode in ("wrapped", "startTLS"):
        application = HandshakeRecorder()
        peer = await testbed.secured_peer_of(application, mode)
        # From now on the client reads, and does not answer.
        peer.tls = None
        connections.append((mode, application, peer, len(peer.wire)))
    before = testbed.delayed_calls()
    for _, application, _, _ in connections:
        application.transport.loseConnection()
    await testbed.wait_until_quiet()
    timers = testbed.delayed_calls() - before
    for mode, application, peer, received in connections:
        stuck.append(not application.lost and not peer.lost and not timers)
        lines.append(
            f"{mode}: loseConnection() sends {len(peer.wire) - received} B, and the client does "
            f"not answer; {QUIET:g} s later the connection is {_state(application)}; timers in "
            f"the reactor that could close it: {len(timers)}"
        )
    return evidence(all(stuck), *lines)


async def _abort(testbed: Testbed) -> Evidence:
    plain, wrapped = [await _abort_reason(testbed, mode) for mode in ("plain", "wrapped")]
    return evidence(
        plain == "ConnectionAborted" and wrapped == "ConnectionLost",
        f"plain TCP, abortConnection(): {plain}",
        f"TLS, abortConnection(): {wrapped}",
    )


async def _abort_reason(testbed: Testbed, mode: str) -> str:
    application = HandshakeRecorder()
    if mode == "plain":
        await testbed.connect_peer(testbed.serve(application, mode))
        await testbed.require("connect", lambda: application.callbacks)
    else:
        await testbed.secured_peer_of(application, mode)
    application.transport.abortConnection()
    await testbed.require("end", lambda: application.lost)
    assert application.reason is not None
    return exception_name(application.reason)


async def _half_close(testbed: Testbed) -> Evidence:
    application, answered = HandshakeRecorder(), []

    def answer() -> None:
        application.transport.write(b"answer")
        answered.append(True)

    def answer_later(_: bytes) -> None:
        testbed.reactor.callLater(0.01, answer)

    application.on_data = answer_later
    peer = await testbed.connect_secured(testbed.serve(application, "wrapped"))
    peer.hold_output = True
    peer.send(b"question")
    peer.close_tls()
    await testbed.require("answer", lambda: answered)
    await testbed.require(
        "answer or close", lambda: peer.cleartext or (application.lost and peer.lost)
    )
    return evidence(
        application.received == [b"question"] and not peer.cleartext,
        "the client sends a question and close_notify, and waits for the answer",
        f"callbacks of the server, which answers after 10 ms: {application.callbacks_text}",
        f"the client receives {peer.cleartext!r}; its connection is "
        f"{'lost' if peer.lost else 'open'}",
    )


async def _lose_write(testbed: Testbed) -> Evidence:
    lines, truncated = [], []
    for mode in ("wrapped", "startTLS"):
        application = HandshakeRecorder()
        peer = await testbed.secured_peer_of(application, mode)
        application.transport.loseWriteConnection()
        await testbed.require("close its direction", lambda: peer.lost)  # noqa: B023
        truncated.append(not peer.close_notify_received)
        lines.append(
            f"{mode}: loseWriteConnection(): the client receives "
            f"{'close_notify' if peer.close_notify_received else 'no close_notify'}, and the end "
            f"of TCP; callbacks of the server: {application.callbacks_text}"
        )
    return evidence(all(truncated), *lines)


@implementer(IPushProducer)
class _Producer:
    """Writes until it is paused."""

    def __init__(self, application: RecordingProtocol) -> None:
        self._application = application
        self.paused = False

    def resumeProducing(self) -> None:
        """Write until paused; at most 16 MiB."""
        self.paused = False
        for _ in range(1000):
            if self.paused:
                break
            self._application.transport.write(b"x" * 16384)

    def pauseProducing(self) -> None:
        """Pause."""
        self.paused = True

    def stopProducing(self) -> None:
        """Stop."""
        self.paused = True


async def _paused_producer(testbed: Testbed) -> Evidence:
    application = HandshakeRecorder()
    producer = _Producer(application)
    peer = await testbed.secured_peer_of(application)
    limit_buffers(application.transport.transport, peer.transport)
    peer.transport.pauseProducing()
    application.transport.registerProducer(producer, True)
    while not producer.paused:
        producer.resumeProducing()
        await testbed.pause(0)
    await testbed.pause(0.05)
    if not producer.paused:
        raise NoVerdict("the producer was not paused: the kernel buffered all that it wrote")
    peer.close_tls()
    await testbed.pause(0.05)
    before = testbed.delayed_calls()
    peer.tls = None
    peer.transport.resumeProducing()
    await testbed.wait_until_quiet()
    peer.transport.loseConnection()
    await testbed.wait_until_quiet()
    timers = testbed.delayed_calls() - before
    return evidence(
        not application.lost and not timers,
        "a server's producer is paused because the client does not read",
        "the client sends close_notify, then reads all there is, then closes TCP",
        f"callbacks of the server: {application.callbacks_text}",
        f"{QUIET:g} s later its connection is {_state(application)}; timers in the reactor that "
        f"could close it: {len(timers)}",
    )


FINDINGS = (
    Finding(
        "lose-connection-never-ends",
        "loseConnection never closes the connection if the peer does not answer close_notify.",
        "Under TLS, loseConnection() sends close_notify and then waits for the peer's, without a "
        "limit. RFC 8446, section 6.1, does not require that, and some peers never answer, by "
        "mistake or on purpose. Each of them costs a file descriptor for the life of the process. "
        "The reproduction waits only a moment, but it shows that there is no timer that could "
        "close the connection later. Call abortConnection() a few seconds after loseConnection(), "
        "as tlsdemo does.",
        _lose_connection,
        tickets=(7926, 8930),
    ),
    Finding(
        "abort-is-connection-lost",
        "abortConnection under TLS is reported as ConnectionLost, as if the network had failed.",
        "On plain TCP the reason is ConnectionAborted, which says that the application itself "
        "aborted the connection. Under TLS the same call is reported as ConnectionLost, so "
        "statistics blame the peer or the network for it. Have the application remember that it "
        "aborted the connection; tlsdemo reports the cause aborted by us.",
        _abort,
    ),
    Finding(
        "no-half-close",
        "A client that closes its direction of a TLS connection no longer gets an answer.",
        "TLS 1.3 lets one direction be closed while the other stays open, as TCP does. Twisted "
        "treats close_notify as the end of both: it answers with its own and closes the "
        "connection. A client that sends a request and close_notify, and then waits, receives "
        "nothing if the answer takes one more iteration of the reactor, and the server is not "
        "informed that its answer was dropped. With tlsdemo's transports, an application that "
        "provides IHalfCloseableProtocol is told that its client has finished, and goes on "
        "sending. Clients of other servers should close only when they have their answer, as "
        "tlsdemo's do.",
        _half_close,
        tickets=(5341,),
    ),
    Finding(
        "paused-producer-never-ends",
        "A paused producer keeps a connection open for ever after the peer has closed it.",
        "When a client that has not been reading sends close_notify, TLS discards later writes "
        "and asks TCP to close the connection once its buffer is empty. TCP then waits for the "
        "producer that it has paused. The producer's writes are discarded, so TCP has nothing to "
        "send, and nothing ever happens again, not even when the client is gone, because reading "
        "has stopped too. The file descriptor is leaked. Call abortConnection() after a timeout; "
        "tlsdemo has one for closing.",
        _paused_producer,
        tickets=(11168,),
    ),
    Finding(
        "lose-write-connection-truncates",
        "loseWriteConnection under TLS ends TCP without close_notify, as a truncation does.",
        "The method is TCP's: TLS does not know about it, and sends no close_notify. The other end "
        "sees TCP end within TLS, which it must take for an attack that cuts the stream; most "
        "then close their own direction as well, so that the answer which the half-close was meant "
        "to wait for never comes. Do not call it on a transport that may be secure; tlsdemo's "
        "transports send close_notify instead, and go on reading.",
        _lose_write,
        tickets=(5341,),
    ),
)
