from tests.tls import delivery_contract, handshake_contract, pull_contract, sending_contract
from tlsdemo.tls import ModeName


class Handshake(handshake_contract.HandshakeContract):
    mode = ModeName.WRAPPED


class Delivering(delivery_contract.DeliveryContract):
    mode = ModeName.WRAPPED


class Pulling(pull_contract.PullContract):
    mode = ModeName.WRAPPED


class Sending(sending_contract.SendingContract):
    mode = ModeName.WRAPPED
