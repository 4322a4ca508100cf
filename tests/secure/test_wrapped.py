from tests.secure import carrying, delivering, reading, securing
from tlsdemo.secure import ModeName


class Securing(securing.SecuringContract):
    mode = ModeName.WRAPPED


class Delivering(delivering.DeliveryContract):
    mode = ModeName.WRAPPED


class Reading(reading.ReadingContract):
    mode = ModeName.WRAPPED


class Carrying(carrying.CarryingContract):
    mode = ModeName.WRAPPED
