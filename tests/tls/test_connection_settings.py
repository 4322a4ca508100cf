from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import server_tls
from tlsdemo.tls import MODES, ConnectionSettings, ModeName, TransportOptions


class ConnectionSettingsTests(SynchronousTestCase):
    def test_the_transport_options_default_to_those_of_the_mode(self) -> None:
        for mode in MODES.values():
            settings = ConnectionSettings(mode, server_tls(), max_buffer=1 << 10)
            self.assertEqual(settings.transport, mode.transport_options(None, None, 1 << 9))

    def test_what_is_something_else_is_refused_with_what_to_give(self) -> None:
        right = {"mode": MODES[ModeName.PAIR], "tls": server_tls()}
        for name, wrong, advice in (
            ("mode", "pair", "mode is 'pair'; give one of MODES: MODES[ModeName.PAIR]"),
            ("tls", "server.pem", "tls is 'server.pem'; give a ServerTLS or a ClientTLS"),
            (
                "negotiation",
                "smtp",
                "negotiation is 'smtp'; give the role of a dialect: DIALECTS[\"smtp\"].server",
            ),
        ):
            settings: dict[str, Any] = {**right, name: wrong}
            with self.subTest(name=name):
                error = self.assertRaises(TypeError, ConnectionSettings, **settings)
                self.assertEqual(str(error), advice)

    def test_the_high_water_mark_is_at_most_half_of_the_buffer(self) -> None:
        mode = MODES[next(iter(MODES))]
        options = TransportOptions(high_water=513)
        error = self.assertRaises(
            ValueError, ConnectionSettings, mode, server_tls(), transport=options, max_buffer=1024
        )
        self.assertEqual(
            str(error), "high_water is 513, more than half of max_buffer, which is 1,024"
        )
