from tests.tls import delivery_contract, handshake_contract, pull_contract, sending_contract
from tlsdemo.tls import ModeName


class HandshakeTests(handshake_contract.HandshakeContract):
    mode = ModeName.STARTTLS


class DeliveryTests(delivery_contract.DeliveryContract):
    mode = ModeName.STARTTLS


class PullTests(pull_contract.PullContract):
    mode = ModeName.STARTTLS


class SendingTests(sending_contract.SendingContract):
    mode = ModeName.STARTTLS
