"""What one worker process of ``twistd tlsdemo --workers`` is told: its part of the server."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from tlsdemo.proxy.server_settings import ServerSettings


@dataclass(frozen=True)
class WorkerTask:
    """Which worker it is, from 0, of how many; where it listens; and with which reactor."""

    index: int
    of: int
    listen: Sequence[str]
    reactor: str = "default"

    def command(self, arguments: Sequence[str]) -> list[str]:
        """Return the command of the worker; ``arguments`` are those of ``twistd tlsdemo``."""
        task = json.dumps(asdict(self))
        return [sys.executable, "-m", "tlsdemo.cli.server_worker", task, *arguments]

    def settings(self, whole: ServerSettings) -> ServerSettings:
        """Return the settings of the worker; ``whole`` are those of the server."""
        # Rounded up: one connection for each worker at least.
        most, each = whole.max_connections, whole.max_per_address
        return replace(
            whole,
            listen=self.listen,
            status=None,
            numbers=(self.index + 1, self.of),
            max_connections=-(-most // self.of),
            max_per_address=each if each is None else -(-each // self.of),
        )
