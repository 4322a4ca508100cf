from __future__ import annotations

import subprocess
import sys

from twisted.trial.unittest import SynchronousTestCase

CODE = """
import gc
from tlsdemo.net.garbage import collect_rarely
before = gc.get_threshold()
collect_rarely()
after = gc.get_threshold()
print(after[0] > before[0], after[1:] == before[1:], gc.get_freeze_count() > 0)
"""


class GarbageTests(SynchronousTestCase):
    def test_it_is_collected_rarely_and_without_what_there_was(self) -> None:
        """In a process of its own, as it changes the whole process."""
        done = subprocess.run(
            [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=60
        )
        self.assertEqual(done.stdout, "True True True\n")
