"""A proxy whose dialect goes on, after the upgrade, with a backend that greets."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import GREETING, Near, RecordingHandlerListener, WaitingBackend
from tlsdemo.close_reasons import Cause
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter
from tlsdemo.tls import Delivery

NONSENSE = "drained: protocol error: this is nonsense"
NO = "drained: backend refused: "
SILENT = "no greeting after 4 s"


class Shouting(ProtocolFilter):
    """Takes off a greeting of one piece, and has both sides shout."""

    def __init__(self) -> None:
        self.ready = False

    def from_backend(self, data: bytes) -> bytes:
        if data == b"go away":
            raise FilterFailed("the backend's greeting is 'go away'")
        if self.ready:
            return data.upper()
        self.ready = data == b"welcome"
        return b""

    def from_client(self, data: bytes) -> bytes:
        if data == b"nonsense":
            raise FilterFailed("this is nonsense", Cause.PROTOCOL_ERROR)
        return data.upper()

    def rest_of_backend(self) -> bytes:
        return b"REST"

    def rest_of_client(self) -> bytes:
        return b"REMAINDER"


class AProxyWithAHandover(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []
        backend = WaitingBackend()
        self.clock = backend.clock
        self.proxy = ProxyHandler(RecordingHandlerListener(self.log), backend.backend, Shouting())
        near = Near(self.proxy, Delivery.RECORD, self.log)
        self.stream, self.wire = near.stream, near.wire
        self.far = backend.connect()
        self.log.clear()

    def test_has_the_client_wait_until_the_backend_has_greeted(self) -> None:
        self.wire.deliver(b"question")
        self.assertEqual(self.far.take(), b"")
        self.far.deliver(b"wait")
        self.assertTrue(self.wire.paused)
        self.far.deliver(b"welcome")
        self.assertFalse(self.wire.paused)
        self.wire.turn()
        self.assertEqual(self.far.take(), b"QUESTION")
        self.assertEqual(self.wire.take(), b"")

    def test_passes_on_what_the_handover_makes_of_it(self) -> None:
        self.stream.dataReceived(b"early ")
        self.far.deliver(b"welcome")
        self.wire.deliver(b"late")
        self.far.deliver(b"answer")
        self.assertEqual((self.far.take(), self.wire.take()), (b"EARLY LATE", b"ANSWER"))

    def test_passes_on_what_was_held_back_when_the_backend_closes(self) -> None:
        self.far.deliver(b"welcome")
        self.far.deliver(b"answer")
        self.far.lose(ConnectionDone())
        self.assertEqual(self.wire.take(), b"ANSWERREST")

    def test_passes_on_what_was_held_back_when_the_client_closes(self) -> None:
        self.far.deliver(b"welcome")
        self.wire.deliver(b"question")
        self.wire.turn()
        self.wire.lose(ConnectionDone())
        self.assertEqual(self.far.take(), b"QUESTIONREMAINDER")

    def test_ends_both_sides_if_the_backend_turns_the_client_away(self) -> None:
        self.far.deliver(b"go away")
        self.assertTrue(self.far.aborted and self.wire.aborted)
        self.wire.turn()
        self.assertEqual(
            self.log, [f"{NO}the backend's greeting is 'go away'", "ended: backend refused"]
        )

    def test_ends_both_sides_if_the_client_does_what_it_may_not(self) -> None:
        self.far.deliver(b"welcome")
        self.wire.deliver(b"question")
        self.wire.deliver(b"nonsense")
        self.wire.deliver(b"more")
        self.assertTrue(self.far.aborted and self.wire.aborted)
        self.far.turn()
        self.wire.turn()
        self.assertEqual(self.log, [NONSENSE, "ended: protocol error"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ends_both_sides_if_the_client_did_so_before_it_was_greeted(self) -> None:
        self.stream.dataReceived(b"nonsense")
        self.stream.dataReceived(b"more")
        self.far.deliver(b"welcome")
        self.assertTrue(self.far.aborted and self.wire.aborted)
        self.wire.turn()
        self.far.turn()
        self.assertEqual(self.log, [NONSENSE, "ended: protocol error"])

    def test_ends_the_backend_if_the_client_did_so_and_has_gone(self) -> None:
        self.stream.dataReceived(b"nonsense")
        self.wire.lose(ConnectionDone())
        self.far.deliver(b"welcome")
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.log, ["ended: clean", NONSENSE])

    def test_ends_the_client_if_the_backend_closes_before_it_has_greeted(self) -> None:
        self.far.lose(ConnectionDone())
        self.assertTrue(self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.log, [f"{NO}it closed before its greeting", "ended: backend refused"])

    def test_ends_the_backend_if_the_client_goes_before_it_has_greeted(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            self.setUp()
            self.wire.lose(reason)
            self.assertTrue(self.far.aborted)
            self.far.turn()
            self.assertEqual(self.log, [f"ended: {close_reason}", "drained: clean"])

    def test_still_greets_for_a_client_that_has_said_all_and_closed(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.far.deliver(b"welcome")
        self.assertEqual(self.far.take(), b"ALL OF ITREMAINDER")
        self.far.turn()
        self.assertEqual(self.log, ["ended: clean", "drained: clean"])

    def test_tells_of_a_client_that_has_closed_and_of_a_backend_that_turns_it_away(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.far.deliver(b"go away")
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.log, ["ended: clean", f"{NO}the backend's greeting is 'go away'"])

    def test_gives_up_a_backend_that_does_not_greet(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.proxy.abort()
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.log, ["ended: clean", "drained: aborted by us"])

    def test_gives_a_backend_some_time_to_greet(self) -> None:
        self.clock.advance(GREETING - 1)
        self.far.deliver(b"wait")
        self.assertFalse(self.far.aborted)
        self.clock.advance(1)
        self.assertTrue(self.far.aborted and self.wire.aborted)
        self.wire.turn()
        self.far.turn()
        self.assertEqual(self.log, [f"{NO}{SILENT}", "ended: backend refused"])

    def test_gives_it_no_longer_if_the_client_has_gone(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.clock.advance(GREETING)
        self.assertTrue(self.far.aborted)
        self.far.turn()
        self.assertEqual(self.log, ["ended: clean", f"{NO}{SILENT}"])

    def test_has_nothing_more_to_wait_for_once_it_has_greeted_or_gone(self) -> None:
        self.far.deliver(b"welcome")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.setUp()
        self.far.lose(ConnectionDone())
        self.assertEqual(self.clock.getDelayedCalls(), [])
