"""The error messages of commands that refuse to run."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase


class RefusingCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.errors = io.StringIO()
        self.patch(sys, "stderr", self.errors)

    def refused(self, act: Callable[[], object], status: int = 2) -> str:
        """Return the error line of ``act``, which has to exit with ``status``."""
        exit_ = self.assertRaises(SystemExit, act)
        self.assertEqual(exit_.code, status)
        text = self.errors.getvalue()
        self.errors.truncate(0)
        self.errors.seek(0)
        self.assertEqual(text.count("\n"), 1, text)
        return text.rstrip("\n")
