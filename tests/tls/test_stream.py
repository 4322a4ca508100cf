from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.tls import MODES, Delivery, ModeName, Send, Stream, TransportOptions


class StreamTests(SynchronousTestCase):
    def test_the_base_class_cannot_be_instantiated(self) -> None:
        self.assertRaises(TypeError, Stream, TransportOptions())

    def test_the_default_options_are_those_of_mode_pair(self) -> None:
        usual = MODES[ModeName.PAIR].transport_options(None, None, 1 << 16)
        self.assertEqual(TransportOptions(), usual)

    def test_the_options_have_the_names_of_the_command_line(self) -> None:
        self.assertEqual([each.value for each in Delivery], ["record", "coalesced", "readable"])
        self.assertEqual([each.value for each in Send], ["raw", "buffered"])
