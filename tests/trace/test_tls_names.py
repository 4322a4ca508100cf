from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.trace.tls_names import ALERTS, MESSAGES, alert_name, message_name, version_name


class Names(SynchronousTestCase):
    def test_are_those_of_the_standard(self) -> None:
        self.assertEqual(version_name(0x0303), "TLS 1.2")
        self.assertEqual(message_name(4), "new_session_ticket")
        self.assertEqual(alert_name(1, 0), "warning close_notify")

    def test_that_are_not_known_are_numbers(self) -> None:
        self.assertEqual(version_name(0x7F17), "0x7f17")
        self.assertEqual(message_name(200), "message 200")
        self.assertEqual(alert_name(7, 200), "7 200")

    def test_occur_once(self) -> None:
        for table in (ALERTS, MESSAGES):
            self.assertEqual(len(set(table.values())), len(table))
