from __future__ import annotations

from tests.lab.stacks.stack_contract import StackCase, TwistedStackContract


class TwistedStartTLSTests(TwistedStackContract, StackCase):
    stack = "twisted-starttls"
    start = ("connectionMade", "startTLS called", "startTLS returned")
