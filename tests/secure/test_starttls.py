from tests.secure import carrying, delivering, reading, securing
from tlsdemo.secure import ModeName


class Securing(securing.SecuringContract):
    mode = ModeName.STARTTLS


class Delivering(delivering.DeliveryContract):
    mode = ModeName.STARTTLS


class Reading(reading.ReadingContract):
    mode = ModeName.STARTTLS


class Carrying(carrying.CarryingContract):
    mode = ModeName.STARTTLS
