from tests.server import unfit
from tlsdemo.secure import ModeName


class ByStartTLS(unfit.BadInputContract):
    mode = ModeName.STARTTLS


class ByPair(unfit.BadInputContract):
    mode = ModeName.PAIR


class Wrapped(unfit.BadInputContract):
    mode = ModeName.WRAPPED
