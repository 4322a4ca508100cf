from __future__ import annotations

import sys

from tests.lab.stacks.stack_contract import AsyncioStackContract, StackCase


class AsyncioStartTLSTests(AsyncioStackContract, StackCase):
    stack = "asyncio-start_tls"

    def check_echo(self) -> None:
        self.assertEqual(self.names[:2], ["connection_made", "start_tls called"])
        # Their order depends on whether the data came with the client's Finished.
        self.assertEqual(sorted(self.names[2:4]), ["data_received", "start_tls returned"])
        # close_notify only leads to eof_received since Python 3.11.
        eof = ["eof_received"] if sys.version_info >= (3, 11) else []
        self.assertEqual(self.names[4:], [*eof, "connection_lost"])
        self.assertEqual(self.text("connection_lost"), "None")

    def check_missing_certificate(self) -> None:
        self.assertEqual(
            self.names[:3], ["connection_made", "start_tls called", "start_tls raised"]
        )
        super().check_missing_certificate()
