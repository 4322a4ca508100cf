from tests.proxy import bad_input as unfit
from tlsdemo.tls import ModeName


class ByStartTLS(unfit.BadInputContract):
    mode = ModeName.STARTTLS


class ByPair(unfit.BadInputContract):
    mode = ModeName.PAIR


class Wrapped(unfit.BadInputContract):
    mode = ModeName.WRAPPED
