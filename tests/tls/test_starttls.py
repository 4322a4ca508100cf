from tests.tls import delivery_contract as delivering
from tests.tls import handshake_contract as securing
from tests.tls import pull_contract as reading
from tests.tls import sending_contract as carrying
from tlsdemo.tls import ModeName


class Securing(securing.SecuringContract):
    mode = ModeName.STARTTLS


class Delivering(delivering.DeliveryContract):
    mode = ModeName.STARTTLS


class Reading(reading.ReadingContract):
    mode = ModeName.STARTTLS


class Carrying(carrying.CarryingContract):
    mode = ModeName.STARTTLS
