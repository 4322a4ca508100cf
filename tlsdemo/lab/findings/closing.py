"""Findings about how a connection ends, and what the application is told of it."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from tlsdemo.lab.findings.finding import TICKET, CannotTell, Evidence, Finding, evidence
from tlsdemo.lab.findings.recording_protocols import Listening, Recording, name_of
from tlsdemo.lab.findings.testbed import NOTHING_HAPPENS, Testbed, limit_buffers


async def _lose_connection(lab: Testbed) -> Evidence:
    seen, stuck = [], []
    for way in ("wrapped", "startTLS"):
        application = Listening()
        peer = await lab.secured(lab.serve(application, way))
        await lab.must("complete the handshake", lambda each=application: each.complete)  # type: ignore[misc]
        # From now on the client reads, and answers nothing.
        peer.tls, before, wire = None, lab.timers(), len(peer.wire)
        application.transport.loseConnection()
        await lab.pause()
        timers = lab.timers() - before
        stuck.append(not application.lost and not peer.lost and not timers)
        seen.append(
            f"{way}: loseConnection() sends {len(peer.wire) - wire} B; the client does not "
            f"answer; {NOTHING_HAPPENS:g} s later the connection is "
            f"{'lost' if application.lost else 'open'}; timers of the reactor that could end it: "
            f"{len(timers)}"
        )
    return evidence(all(stuck), *seen)


async def _abort(lab: Testbed) -> Evidence:
    reasons = {}
    for way in ("plain", "wrapped"):
        application = Listening()
        peer = await lab.peer(lab.serve(application, way))
        if way == "wrapped":
            peer.start_tls(lab.foreign_context())
            await lab.must("complete the handshake", lambda each=application: each.complete)  # type: ignore[misc]
        await lab.must("connect", lambda each=application: each.events)  # type: ignore[misc]
        application.transport.abortConnection()
        await lab.must("end", lambda each=application: each.lost)  # type: ignore[misc]
        assert application.reason is not None
        reasons[way] = name_of(application.reason)
    return evidence(
        reasons["plain"] == "ConnectionAborted" and reasons["wrapped"] == "ConnectionLost",
        f"plain TCP, abortConnection(): {reasons['plain']}",
        f"TLS, abortConnection(): {reasons['wrapped']}",
    )


async def _half_close(lab: Testbed) -> Evidence:
    application, answered = Listening(), []

    def answer() -> None:
        application.transport.write(b"answer")
        answered.append(True)

    def answer_later(_: bytes) -> None:
        lab.reactor.callLater(0.01, answer)

    application.on_data = answer_later
    peer = await lab.secured(lab.serve(application, "wrapped"))
    peer.hold = True
    peer.send(b"question")
    peer.close_tls()
    await lab.must("answer", lambda: answered)
    await lab.until(lambda: peer.clear or (application.lost and peer.lost))
    return evidence(
        application.received == [b"question"] and not peer.clear,
        "the client sends a question and close_notify, and waits for the answer",
        f"the server, which answers after 10 ms, was told: {application.told}",
        f"the client got: {peer.clear!r}; its connection is {'lost' if peer.lost else 'open'}",
    )


@implementer(IPushProducer)
class _Pushing:
    """Writes until it is told to pause, and then waits to be told to go on."""

    def __init__(self, application: Recording) -> None:
        self._application = application
        self.paused = False
        self.resumed = 0

    def resumeProducing(self) -> None:
        """Go on."""
        self.paused = False
        self.resumed += 1
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


async def _paused_producer(lab: Testbed) -> Evidence:
    application = Listening()
    producer = _Pushing(application)
    options: Any = lab.server_options()
    peer = await lab.secured(lab.listen(lab.wrapped(options, application)))
    await lab.must("complete the handshake", lambda: application.complete)
    limit_buffers(application.transport.transport, peer.transport)
    peer.transport.pauseProducing()
    application.transport.registerProducer(producer, True)
    while not producer.paused:
        producer.resumeProducing()
        await lab.pause(0)
    await lab.pause(0.05)
    if not producer.paused:
        raise CannotTell("the producer was not paused: the system took all that was written")
    peer.close_tls()
    await lab.pause(0.05)
    before = lab.timers()
    peer.tls = None
    peer.transport.resumeProducing()
    await lab.until(lambda: application.lost, NOTHING_HAPPENS)
    peer.transport.loseConnection()
    await lab.until(lambda: application.lost, NOTHING_HAPPENS)
    timers = lab.timers() - before
    return evidence(
        not application.lost and not timers,
        "a server's producer is paused, because the client does not read",
        "the client says close_notify, then reads all that there is, then closes TCP",
        f"the server was told: {application.told}",
        f"{2 * NOTHING_HAPPENS:g} s later its connection is "
        f"{'lost' if application.lost else 'open'}; timers of the reactor that could end it: "
        f"{len(timers)}",
    )


FINDINGS = (
    Finding(
        "lose-connection-never-ends",
        "loseConnection never ends if the peer does not answer close_notify.",
        "Under TLS loseConnection() sends close_notify and waits for the peer's, for ever. RFC "
        "8446, 6.1 does not ask for that, and peers that just stay silent exist: some by "
        "mistake, some on purpose. Each costs a descriptor until the process ends. The "
        "reproduction waits only a moment, but shows that no timer exists that could end it "
        "later. Call abortConnection() some seconds after loseConnection(); tlsdemo does.",
        _lose_connection,
        ticket=f"{TICKET}7926",
    ),
    Finding(
        "abort-is-connection-lost",
        "abortConnection under TLS is told as ConnectionLost, as if the network had failed.",
        "On plain TCP the reason is ConnectionAborted: it was us. Under TLS the same call gives "
        "ConnectionLost, so statistics blame the peer or the network for connections that the "
        "application itself has thrown out. Remember that it was you; in tlsdemo the cause is "
        "aborted by us.",
        _abort,
    ),
    Finding(
        "no-half-close",
        "A client that closes its direction gets no answer any more.",
        "TLS 1.3 lets one direction be closed while the other goes on, as TCP does. Twisted "
        "takes close_notify for the end of everything: it answers with its own and closes. A "
        "client that sends its request, then close_notify, then waits, gets nothing if the "
        "answer takes a turn of the reactor longer, and the server does not learn that its "
        "answer was dropped. Have clients close only when they have their answer; tlsdemo's "
        "clients do.",
        _half_close,
        ticket=f"{TICKET}5341",
    ),
    Finding(
        "paused-producer-never-ends",
        "A paused producer keeps a connection open for ever that the peer has closed.",
        "When a client that has not read says close_notify, TLS drops what is still written and "
        "asks TCP to close once it has sent the rest. TCP then waits for the producer that it "
        "has paused: the producer writes, TLS drops it, TCP has nothing to send, and so nothing "
        "ever happens again, not even when the client is gone, for reading has stopped as well. "
        "The descriptor is lost. Call abortConnection() after a while; tlsdemo bounds the "
        "closing.",
        _paused_producer,
    ),
)
