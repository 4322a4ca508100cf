from tests.proxy import bad_input
from tlsdemo.tls import ModeName


class StartTLSTests(bad_input.BadInputContract):
    mode = ModeName.STARTTLS


class PairTests(bad_input.BadInputContract):
    mode = ModeName.PAIR


class WrappedTests(bad_input.BadInputContract):
    mode = ModeName.WRAPPED
