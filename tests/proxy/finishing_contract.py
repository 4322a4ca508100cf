"""What a proxy guarantees about a backend that finishes first, with every delivery."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.proxy.fakes import CLOSING
from tests.proxy.proxy_contract import RESET, ForwardingContract

SENDS_NOTHING = (
    "closing timeout: the backend has finished, and nothing more was forwarded to it after 8 s"
)


class BackendFinishingContract(ForwardingContract):
    def finish(self) -> None:
        """Have the backend answer, and finish sending."""
        self.to_backend.deliver(b"answer")
        self.to_backend.finish()
        self.assertEqual(self.wire.take(), b"answer")
        self.assertTrue(self.wire.finished)
        self.assertFalse(self.wire.disconnecting)
        self.assertIsNone(self.wire.producer)
        self.wire.turn()

    def test_the_client_can_still_send(self) -> None:
        self.finish()
        for data in (b"more", b"and more"):
            self.wire.deliver(data)
            self.assertEqual(self.to_backend.take(), data)
        self.wire.finish()
        self.assertEqual(self.take_log(), ["ended: clean"])
        self.assertTrue(self.to_backend.disconnecting)
        self.assertFalse(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["drained: clean"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_a_slow_backend_still_pauses_the_client(self) -> None:
        self.finish()
        self.to_backend.producer.pauseProducing()
        sent = self.fill()
        self.to_backend.producer.resumeProducing()
        self.wire.turn()
        self.assertEqual(self.to_backend.take(), sent)

    def test_a_client_that_has_finished_before_is_closed(self) -> None:
        self.wire.deliver(b"request")
        self.wire.finish()
        self.to_backend.take()
        self.to_backend.turn()
        self.to_backend.deliver(b"answer")
        self.to_backend.finish()
        self.assertEqual(self.wire.take(), b"answer")
        self.wire.turn()
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_a_client_that_says_nothing_more_is_given_up(self) -> None:
        self.finish()
        self.backend.clock.advance(CLOSING - 1)
        self.wire.deliver(b"more")
        self.backend.clock.advance(CLOSING - 1)
        self.assertFalse(self.wire.aborted)
        self.backend.clock.advance(1)
        self.assertTrue(self.wire.aborted)
        self.assertTrue(self.to_backend.aborted)
        self.wire.turn()
        self.assertEqual(self.take_log(), [f"drained: {SENDS_NOTHING}", "ended: closing timeout"])

    def test_a_reset_of_the_backend_does_not_take_the_answer_away(self) -> None:
        self.finish()
        self.wire.deliver(b"unread")
        self.to_backend.lose(ConnectionLost())
        self.assertFalse(self.wire.aborted)
        self.wire.deliver(b"unread too")
        self.wire.turn()
        lost = RESET.replace("lost: ", "lost: after it had finished: ")
        self.assertEqual(self.take_log(), ["ended: clean", f"drained: {lost}"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_losing_the_client_resets_the_backend(self) -> None:
        self.finish()
        self.wire.deliver(b"half")
        self.wire.lose(ConnectionLost())
        self.assertTrue(self.to_backend.aborted)
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: truncated", "drained: clean"])
        self.assertEqual(self.backend.clock.getDelayedCalls(), [])

    def test_aborting_ends_both_sides(self) -> None:
        self.finish()
        self.proxy.abort()
        self.stream.abortConnection()
        self.wire.turn()
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: aborted by us", "drained: aborted by us"])

    def test_a_backend_that_finishes_while_its_client_leaves_is_drained(self) -> None:
        self.wire.deliver(b"last")
        self.wire.lose(ConnectionDone())
        self.to_backend.finish()
        self.assertEqual(self.to_backend.take(), b"last")
        self.to_backend.turn()
        self.assertEqual(self.take_log(), ["ended: clean", "drained: clean"])
