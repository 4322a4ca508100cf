"""Run trial on these tests: ``python -m interop [TEST…]``.

Without a test's name it is a whole run: the peers that are missing are installed first, and what
was seen is written to interop/seen.json, and to docs/interoperability.md if no test failed.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from twisted.scripts import trial
from twisted.trial.reporter import TreeReporter

from interop.attempts import attempt_of, attempts
from interop.catalogue import PEERS, version_of
from interop.install import install
from interop.page import Seen, render
from tlsdemo.cli.standard_output import guarded
from tlsdemo.reporting.run_text import versions_text
from tlsdemo.tls.library_versions import versions

_HERE = Path(__file__).parent
_SEEN = _HERE / "seen.json"
_PAGE = _HERE.parent / "docs" / "interoperability.md"


class SeenReporter(TreeReporter):
    """Trial's usual reporter, which also notes what the tests have tried."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._began = time.monotonic()
        self._noted: list[Seen] = []

    def addSuccess(self, test: Any) -> None:
        """Note what a test has done."""
        super().addSuccess(test)
        self._note(test, "")

    def addSkip(self, test: Any, reason: Any) -> None:
        """Note why a test has done nothing."""
        super().addSkip(test, reason)
        self._note(test, str(reason))

    def _note(self, test: Any, skipped: str) -> None:
        attempt = attempt_of(test)
        assert attempt is not None
        parts = (*attempt.parts, *dict.fromkeys(getattr(test, "parts", ())))
        self._noted.append(Seen(test.id(), attempt.what, attempt.peers, parts, skipped))

    def done(self) -> None:
        """Write what was seen, before the summary, which stays the last line."""
        seconds = time.monotonic() - self._began
        met = {name for seen in self._noted if not seen.skipped for name in seen.peers}
        found = {name: version_of(PEERS[name]) for name in sorted(met)}
        ours = versions_text(versions())
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
        where = f"Seen with {ours}, on {system}, in {seconds:.0f} seconds."
        _SEEN.write_text(
            json.dumps({"where": where, "versions": found, "seen": list(map(asdict, self._noted))})
        )
        if self.wasSuccessful():
            _PAGE.write_text(render(self._noted, found, where), encoding="utf-8")
            self._writeln(f"\nwrote {_PAGE}")
        super().done()


class Options(trial.Options):
    """Trial's options, with our reporter."""

    def postOptions(self) -> None:
        """Take our reporter."""
        super().postOptions()
        self["reporter"] = SeenReporter


def main() -> NoReturn:
    """Run what the command line says."""
    if len(sys.argv) == 1:
        if silent := [name for name, attempt in attempts().items() if attempt is None]:
            sys.exit("\n  ".join(["these tests do not say by @tried what they do:", *silent]))
        install()
        trial.Options = Options  # type: ignore[misc]
        sys.argv.append("interop")
    trial.run()
    raise AssertionError("trial exits")


if __name__ == "__main__":
    sys.exit(guarded("python -m interop", main))
