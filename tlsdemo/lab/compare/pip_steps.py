"""Run pip with a line for each step: ``python -m tlsdemo.lab.compare.pip_steps install …``.

Makefile uses it before anything is installed: so nothing but the standard library is
imported.  If pip fails, all that it has printed is shown.
"""

from __future__ import annotations

import re
import sys

from tlsdemo.net.command import run_command

_COLLECTING = re.compile(r"(?:Collecting|Processing) (\S.*?)(?: \(from (?:-r )?(.+?)\))?\s*$")
_TIMEOUT = 3600.0
"""Seconds that pip may take."""

_PASSED_ON = ("Building wheel", "Building editable", "Preparing metadata")


def step(line: str) -> str | None:
    """Return what a line of pip's output tells about a step, or None.

    >>> step("Collecting attrs>=19.1 (from service-identity>=24.1->tlsdemo==0.1.0)")
    'attrs>=19.1, for service-identity'
    >>> step("  Downloading attrs-25.4.0-py3-none-any.whl (67 kB)")
    """
    collecting = _COLLECTING.match(line)
    if collecting is not None:
        what, why = collecting.groups()
        # The nearest of those that need it, without its version.
        nearest = re.match(r"[\w.-]+", why or "")
        # What is at hand is named by its file.
        what = re.sub(r"^.*/([\w.]+-[\w.]+)-.*\.whl$", r"\1", what)
        return f"{what}, for {nearest[0]}" if nearest else what
    text = line.strip()
    if text.startswith("Installing collected"):
        return f"installing {text.count(',') + 1} packages"
    name, _, state = text.rpartition(": ")
    return name if text.startswith(_PASSED_ON) and state == "started" else None


def main(arguments: list[str]) -> int:
    """Run pip, show its steps on standard error, and return its exit status."""

    def show(line: str) -> None:
        text = step(line)
        if text is not None:
            print(f"   {text}", file=sys.stderr, flush=True)

    command = [sys.executable, "-m", "pip", *arguments, "--progress-bar=off"]
    done = run_command(command, _TIMEOUT, line=show)
    if done.status:
        print(done.output, file=sys.stderr)
    return done.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
