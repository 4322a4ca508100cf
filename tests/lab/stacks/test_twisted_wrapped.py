from __future__ import annotations

from tests.lab.stacks.stack_contract import StackCase, TwistedStackContract


class TwistedWrappedTests(TwistedStackContract, StackCase):
    stack = "twisted-wrapped"
    start = ("connectionMade",)
