from tests.tls import delivery_contract, handshake_contract, pull_contract, sending_contract
from tlsdemo.tls import ModeName


class Handshake(handshake_contract.HandshakeContract):
    mode = ModeName.STARTTLS


class Delivering(delivery_contract.DeliveryContract):
    mode = ModeName.STARTTLS


class Pulling(pull_contract.PullContract):
    mode = ModeName.STARTTLS


class Sending(sending_contract.SendingContract):
    mode = ModeName.STARTTLS
