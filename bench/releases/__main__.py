"""The gate between neighbouring releases: ``python -m bench.releases --output docs``.

Writes gate-history.json after each step, and gate-history.md.  With ``--package``, what the file
has of other packages stays.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from bench.releases.package_index import PackageIndex
from bench.releases.release_page import page
from bench.releases.release_run import ReleaseRun
from bench.releases.release_steps import release_steps
from tlsdemo.gate.gate_run import PARTS
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_builder import Builder
from tlsdemo.lab.compare.environment_cache import Cache, default_folder

_PACKAGES = ("twisted", "pyopenssl", "cryptography")
_PARTS = ("findings", "stock")
"""Without the events over loopback, which take a minute for each combination of versions."""

DATA, PAGE = "gate-history.json", "gate-history.md"


def main(arguments: Sequence[str]) -> int:
    """Run the command, and return the exit status: 2 if there is no package index."""
    parser = argparse.ArgumentParser(prog="python -m bench.releases", description=__doc__)
    parser.add_argument("--package", action="append", choices=_PACKAGES, dest="packages")
    parser.add_argument("--releases", type=int, default=10, help="how many of each (default: 10)")
    parser.add_argument("--part", action="append", choices=PARTS, dest="parts")
    parser.add_argument(
        "--output", type=Path, default=Path("docs"), help="where to (default: docs)"
    )
    parser.add_argument("--page-only", type=Path, help="compare nothing; write the page there")
    wanted = parser.parse_args(arguments)
    data_file = wanted.output / DATA
    if wanted.page_only is not None:
        data = json.loads(data_file.read_text(encoding="utf-8"))
        wanted.page_only.write_text(page(data), encoding="utf-8")
        return 0
    parts = [name for name in PARTS if name in (wanted.parts or _PARTS)]
    packages = wanted.packages or _PACKAGES
    steps = _kept(data_file, packages)
    try:
        for step in _steps(packages, wanted.releases, parts):
            steps.append(step)
            steps.sort(key=lambda each: _PACKAGES.index(each["package"]))
            data = {"date": date.today().isoformat(), "python": platform.python_version(),
                    "parts": parts, "steps": steps}  # fmt: skip
            data_file.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except ComparisonError as problem:
        _report(str(problem))
        return 2
    data = json.loads(data_file.read_text(encoding="utf-8"))
    (wanted.output / PAGE).write_text(page(data), encoding="utf-8")
    return 0


def _kept(data_file: Path, packages: Sequence[str]) -> list[dict[str, Any]]:
    """Return the steps of other packages in the file, if it is there."""
    if not data_file.exists():
        return []
    steps = json.loads(data_file.read_text(encoding="utf-8"))["steps"]
    return [each for each in steps if each["package"] not in packages]


def _steps(
    packages: Sequence[str], releases: int, parts: Sequence[str]
) -> Iterator[dict[str, Any]]:
    index = PackageIndex()
    run = ReleaseRun(Builder.of_the_user(Cache(default_folder()), _report), parts, _report)
    for package in packages:
        newest_first = index.latest(package, releases)
        for step in release_steps(package, newest_first, index.fitting):
            yield run.compared(step)


def _report(text: str) -> None:
    print(f"releases: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
