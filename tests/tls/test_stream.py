from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import Delivery, Send, Stream, TransportOptions


class Streams(SynchronousTestCase):
    def test_are_made_only_in_a_mode(self) -> None:
        self.assertRaises(TypeError, Stream, TransportOptions())

    def test_deliver_by_the_record_and_send_raw_unless_told_otherwise(self) -> None:
        self.assertEqual(TransportOptions(), TransportOptions(Delivery.RECORD, Send.RAW, 1 << 16))

    def test_name_their_manners_as_options_do(self) -> None:
        self.assertEqual([each.value for each in Delivery], ["record", "coalesced", "readable"])
        self.assertEqual([each.value for each in Send], ["raw", "buffered"])
