from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import server_tls
from tlsdemo.tls import MODES, Delivery, ModeName, Send, TransportOptions


class TheCatalogue(SynchronousTestCase):
    def test_has_every_mode_by_its_name(self) -> None:
        self.assertEqual([*MODES], [*ModeName])
        self.assertEqual([mode.name for mode in MODES.values()], [*ModeName])

    def test_tells_what_is_stock_for_a_mode(self) -> None:
        record, coalesced = Delivery.RECORD, Delivery.COALESCED
        for name, delivery, send in (
            (ModeName.STARTTLS, record, Send.BUFFERED),
            (ModeName.PAIR, coalesced, Send.RAW),
            (ModeName.WRAPPED, record, Send.BUFFERED),
            (ModeName.CLEAR, record, Send.RAW),
        ):
            self.assertEqual(
                MODES[name].transport_options(None, None, 5), TransportOptions(delivery, send, 5)
            )

    def test_gives_what_was_asked_for_instead(self) -> None:
        for mode in MODES.values():
            for delivery in Delivery:
                for send in Send:
                    transport_options = mode.transport_options(delivery, send, 7)
                    self.assertEqual(transport_options, TransportOptions(delivery, send, 7))

    def test_tells_which_modes_encrypt(self) -> None:
        clear = [name for name, mode in MODES.items() if not mode.encrypts]
        self.assertEqual(clear, [ModeName.CLEAR])

    def test_wraps_a_factory_only_where_tls_comes_first(self) -> None:
        factory = Factory()
        for name, mode in MODES.items():
            wrapped = mode.wrap(server_tls(), factory, Clock())
            self.assertEqual(isinstance(wrapped, TLSMemoryBIOFactory), name is ModeName.WRAPPED)
            if name is not ModeName.WRAPPED:
                self.assertIs(wrapped, factory)
