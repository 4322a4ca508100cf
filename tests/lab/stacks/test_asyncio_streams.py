from __future__ import annotations

from tests.lab.stacks.stack_contract import AsyncioStackContract, StackCase


class AsyncioStreamsTests(AsyncioStackContract, StackCase):
    stack = "asyncio-streams"

    def check_echo(self) -> None:
        self.assertEqual(
            self.names,
            [
                *("client_connected_cb", "start_tls called", "start_tls returned"),
                *("read returned", "write called", "drain returned"),
                *("read returned", "wait_closed returned"),
            ],
        )
        self.assertEqual(self.events[6].facts["text"], "b''")
