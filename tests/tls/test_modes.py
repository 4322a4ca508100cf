from __future__ import annotations

from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from tests.tls import (
    delivery_contract,
    handshake_contract,
    pull_contract,
    sending_contract,
    test_secure_pair,
    test_starttls,
    test_wrapped,
)
from tests.tls.memory_ends import server_tls
from tlsdemo.tls import MODES, Delivery, ModeName, Send, TransportOptions

CONTRACTS = {
    ModeName.STARTTLS: test_starttls,
    ModeName.PAIR: test_secure_pair,
    ModeName.WRAPPED: test_wrapped,
}
CONTRACT_CLASSES = (
    delivery_contract.DeliveryContract,
    handshake_contract.HandshakeContract,
    pull_contract.PullContract,
    sending_contract.SendingContract,
)


class ContractTests(SynchronousTestCase):
    """A mode that encrypts has to keep every promise that the others keep."""

    def test_every_mode_that_encrypts_runs_every_contract(self) -> None:
        for name, mode in MODES.items():
            if not mode.encrypts:
                continue
            module = CONTRACTS.get(name)
            self.assertIsNotNone(
                module,
                f"mode {name.value} has no contract tests: write tests/tls/test_{name.value}.py "
                "after the model of test_wrapped.py, and add it to CONTRACTS in test_modes.py",
            )
            cases = [each for each in vars(module).values() if getattr(each, "mode", None) is name]
            for contract in CONTRACT_CLASSES:
                self.assertTrue(
                    any(contract in case.__mro__ for case in cases),
                    f"mode {name.value} is not held against {contract.__name__}",
                )


class ModesTests(SynchronousTestCase):
    def test_every_mode_is_found_by_its_name(self) -> None:
        self.assertEqual([*MODES], [*ModeName])
        self.assertEqual([mode.name for mode in MODES.values()], [*ModeName])

    def test_each_mode_has_default_options(self) -> None:
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

    def test_given_options_replace_the_defaults(self) -> None:
        for mode in MODES.values():
            for delivery in Delivery:
                for send in Send:
                    transport_options = mode.transport_options(delivery, send, 7)
                    self.assertEqual(transport_options, TransportOptions(delivery, send, 7))

    def test_all_modes_but_clear_encrypt(self) -> None:
        clear = [name for name, mode in MODES.items() if not mode.encrypts]
        self.assertEqual(clear, [ModeName.CLEAR])

    def test_only_mode_wrapped_wraps_the_factory(self) -> None:
        factory = Factory()
        for name, mode in MODES.items():
            wrapped = mode.wrap(server_tls(), factory, Clock())
            self.assertEqual(isinstance(wrapped, TLSMemoryBIOFactory), name is ModeName.WRAPPED)
            if name is not ModeName.WRAPPED:
                self.assertIs(wrapped, factory)
