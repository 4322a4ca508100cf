from __future__ import annotations

from tests.lab.stacks.stack_contract import StackCase, TwistedStackContract


class TwistedPairTests(TwistedStackContract, StackCase):
    stack = "twisted-pair"
    start = ("makeConnection called", "connectionMade", "makeConnection returned")
