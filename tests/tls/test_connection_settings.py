from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import server_tls
from tlsdemo.tls import MODES, ConnectionSettings, TransportOptions


class Settings(SynchronousTestCase):
    def test_have_the_modes_options_unless_others_are_given(self) -> None:
        for mode in MODES.values():
            settings = ConnectionSettings(mode, server_tls(), max_buffer=1 << 10)
            self.assertEqual(settings.transport, mode.transport_options(None, None, 1 << 9))

    def test_keep_no_more_than_half_of_the_buffer_for_a_reader(self) -> None:
        mode = MODES[next(iter(MODES))]
        options = TransportOptions(high_water=513)
        error = self.assertRaises(
            ValueError, ConnectionSettings, mode, server_tls(), transport=options, max_buffer=1024
        )
        self.assertEqual(
            str(error), "high_water is 513, more than half of max_buffer, which is 1,024"
        )
