"""The command ``tlsdemo events`` as a process."""

from __future__ import annotations

import sys

from tests.end_to_end.processes import ProcessCase

COMMAND = (sys.executable, "-m", "tlsdemo", "events")
ONE = ("--mode=starttls", "--tls=1.3", "--scenario=ok", "--times=1")
"""Options for a single connection."""


class EventsCase(ProcessCase):
    def output_of(self, *arguments: str) -> str:
        """Run the command, and return its output when it has succeeded."""
        running = self.start(*COMMAND, *arguments)
        self.assertEqual(running.wait(), 0, running.output)
        return running.output
