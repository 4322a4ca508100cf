"""A proxy with a protocol filter, for a dialect whose backend greets."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.proxy.fakes import GREETING, ClearClient, RecordingHandlerListener, WaitingBackend
from tlsdemo.close_reasons import Cause
from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.starttls.filters import FilterFailed, ProtocolFilter
from tlsdemo.tls import Delivery

NONSENSE = "drained: protocol error: this is nonsense"
NO = "drained: backend refused: "
SILENT = "no greeting after 4 s"


class UppercaseFilter(ProtocolFilter):
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


class ProxyFilterTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.log: list[object] = []
        backend = WaitingBackend()
        self.clock = backend.clock
        self.proxy = ProxyHandler(
            RecordingHandlerListener(self.log), backend.backend, UppercaseFilter()
        )
        client = ClearClient(self.proxy, Delivery.RECORD, self.log)
        self.stream, self.wire = client.stream, client.wire
        self.to_backend = backend.connect()
        self.log.clear()

    def test_the_client_is_paused_until_the_backend_has_greeted(self) -> None:
        self.wire.deliver(b"question")
        self.assertEqual(self.to_backend.take(), b"")
        self.to_backend.deliver(b"wait")
        self.assertTrue(self.wire.paused)
        self.to_backend.deliver(b"welcome")
        self.assertFalse(self.wire.paused)
        self.wire.turn()
        self.assertEqual(self.to_backend.take(), b"QUESTION")
        self.assertEqual(self.wire.take(), b"")

    def test_data_is_forwarded_as_the_filter_changes_it(self) -> None:
        self.stream.dataReceived(b"early ")
        self.to_backend.deliver(b"welcome")
        self.wire.deliver(b"late")
        self.to_backend.deliver(b"answer")
        self.assertEqual((self.to_backend.take(), self.wire.take()), (b"EARLY LATE", b"ANSWER"))

    def test_data_held_back_is_forwarded_when_the_backend_closes(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.to_backend.deliver(b"answer")
        self.to_backend.lose(ConnectionDone())
        self.assertEqual(self.wire.take(), b"ANSWERREST")

    def test_data_held_back_is_forwarded_once_when_the_backend_finishes(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.to_backend.finish()
        self.assertEqual(self.wire.take(), b"REST")
        self.wire.deliver(b"question")
        self.wire.finish()
        self.assertEqual(self.to_backend.take(), b"QUESTIONREMAINDER")

    def test_data_held_back_is_forwarded_once_when_the_client_finishes(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.wire.deliver(b"question")
        self.wire.finish()
        self.wire.lose(ConnectionDone())
        self.assertEqual(self.to_backend.take(), b"QUESTIONREMAINDER")

    def test_a_violation_of_a_client_whose_backend_has_finished_ends_both_sides(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.to_backend.finish()
        self.wire.deliver(b"nonsense")
        self.assertTrue(self.to_backend.aborted and self.wire.aborted)
        self.wire.turn()
        self.assertEqual(self.log, [NONSENSE, "ended: protocol error"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_data_held_back_is_forwarded_when_the_client_closes(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.wire.deliver(b"question")
        self.wire.turn()
        self.wire.lose(ConnectionDone())
        self.assertEqual(self.to_backend.take(), b"QUESTIONREMAINDER")

    def test_a_backend_that_refuses_the_client_ends_both_sides(self) -> None:
        self.to_backend.deliver(b"go away")
        self.assertTrue(self.to_backend.aborted and self.wire.aborted)
        self.wire.turn()
        self.assertEqual(
            self.log, [f"{NO}the backend's greeting is 'go away'", "ended: backend refused"]
        )

    def test_a_client_that_violates_the_protocol_ends_both_sides(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.wire.deliver(b"question")
        self.wire.deliver(b"nonsense")
        self.wire.deliver(b"more")
        self.assertTrue(self.to_backend.aborted and self.wire.aborted)
        self.to_backend.turn()
        self.wire.turn()
        self.assertEqual(self.log, [NONSENSE, "ended: protocol error"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_violation_before_the_greeting_ends_both_sides(self) -> None:
        self.stream.dataReceived(b"nonsense")
        self.stream.dataReceived(b"more")
        self.to_backend.deliver(b"welcome")
        self.assertTrue(self.to_backend.aborted and self.wire.aborted)
        self.wire.turn()
        self.to_backend.turn()
        self.assertEqual(self.log, [NONSENSE, "ended: protocol error"])

    def test_a_violation_by_a_client_that_has_gone_ends_the_backend(self) -> None:
        self.stream.dataReceived(b"nonsense")
        self.wire.lose(ConnectionDone())
        self.to_backend.deliver(b"welcome")
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.log, ["ended: clean", NONSENSE])

    def test_a_backend_that_closes_before_its_greeting_ends_the_client(self) -> None:
        for end in (self.to_backend.finish, lambda: self.to_backend.lose(ConnectionDone())):
            end()
            self.assertTrue(self.wire.aborted)
            self.wire.turn()
            said = f"{NO}it closed before its greeting"
            self.assertEqual(self.log, [said, "ended: backend refused"])
            self.setUp()

    def test_a_client_that_leaves_before_the_greeting_ends_the_backend(self) -> None:
        for reason, close_reason in ((ConnectionDone(), "clean"), (ConnectionLost(), "truncated")):
            self.setUp()
            self.wire.lose(reason)
            self.assertTrue(self.to_backend.aborted)
            self.to_backend.turn()
            self.assertEqual(self.log, [f"ended: {close_reason}", "drained: clean"])

    def test_data_of_a_client_that_has_closed_is_forwarded_after_the_greeting(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.to_backend.deliver(b"welcome")
        self.assertEqual(self.to_backend.take(), b"ALL OF ITREMAINDER")
        self.to_backend.turn()
        self.assertEqual(self.log, ["ended: clean", "drained: clean"])

    def test_refusal_of_a_client_that_has_closed_is_reported(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.to_backend.deliver(b"go away")
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.log, ["ended: clean", f"{NO}the backend's greeting is 'go away'"])

    def test_a_backend_that_does_not_greet_is_aborted(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.proxy.abort()
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.log, ["ended: clean", "drained: aborted by us"])

    def test_the_greeting_timeout_starts_with_the_connection(self) -> None:
        self.clock.advance(GREETING - 1)
        self.to_backend.deliver(b"wait")
        self.assertFalse(self.to_backend.aborted)
        self.clock.advance(1)
        self.assertTrue(self.to_backend.aborted and self.wire.aborted)
        self.wire.turn()
        self.to_backend.turn()
        self.assertEqual(self.log, [f"{NO}{SILENT}", "ended: backend refused"])

    def test_the_greeting_timeout_applies_after_the_client_has_gone(self) -> None:
        self.stream.dataReceived(b"all of it")
        self.wire.lose(ConnectionDone())
        self.clock.advance(GREETING)
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.log, ["ended: clean", f"{NO}{SILENT}"])

    def test_the_greeting_timeout_is_cancelled_by_the_greeting_or_the_end(self) -> None:
        self.to_backend.deliver(b"welcome")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.setUp()
        self.to_backend.lose(ConnectionDone())
        self.assertEqual(self.clock.getDelayedCalls(), [])


class UnavailableTests(SynchronousTestCase):
    """A client is told in its protocol's own words that its backend is not there."""

    SAID = b"421 not now\r\n"

    def setUp(self) -> None:
        self.log: list[object] = []
        self.backend = WaitingBackend(unavailable=self.SAID)
        self.proxy = ProxyHandler(
            RecordingHandlerListener(self.log), self.backend.backend, UppercaseFilter()
        )
        client = ClearClient(self.proxy, Delivery.RECORD, self.log)
        self.wire = client.wire
        self.log.clear()

    def told(self) -> None:
        """Check that the client has been told, and closed in order."""
        self.wire.deliver(b"more, that nobody reads")
        self.assertEqual(self.wire.take(), self.SAID)
        self.assertFalse(self.wire.aborted)
        self.wire.turn()
        self.assertIn("ended: clean", self.log)

    def test_if_the_backend_refuses_the_connection(self) -> None:
        self.backend.refuse()
        self.told()
        self.assertIn(f"{NO}Connection was refused by other side.", self.log)

    def test_if_it_closes_before_its_greeting(self) -> None:
        self.backend.connect().lose(ConnectionDone())
        self.told()
        self.assertIn(f"{NO}it closed before its greeting", self.log)

    def test_if_it_does_not_greet_in_time(self) -> None:
        to_backend = self.backend.connect()
        self.backend.clock.advance(4)
        self.assertTrue(to_backend.aborted)
        self.told()
        self.assertIn(f"{NO}{SILENT}", self.log)

    def test_if_its_greeting_refuses_the_client(self) -> None:
        self.backend.connect().deliver(b"go away")
        self.told()

    def test_even_if_the_client_has_finished_sending(self) -> None:
        self.wire.finish()
        self.backend.refuse()
        self.assertEqual(self.wire.take(), self.SAID)

    def test_but_not_if_the_client_is_at_fault(self) -> None:
        self.wire.deliver(b"nonsense")
        to_backend = self.backend.connect()
        to_backend.deliver(b"welcome")
        self.wire.turn()
        self.assertTrue(self.wire.aborted)
        self.assertEqual(self.wire.take(), b"")

    def test_nor_if_the_client_has_gone(self) -> None:
        self.wire.deliver(b"data")
        self.wire.turn()
        self.wire.lose(ConnectionLost())
        self.assertEqual(self.wire.take(), b"")
