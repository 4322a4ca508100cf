"""``tlsdemo versions``: what is used here, and the environments that are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Cache, Environment, default_folder
from tlsdemo.reporting.run_text import megabytes, versions_text
from tlsdemo.tls import versions


class VersionsOptions(Options):
    """The options of ``tlsdemo versions``."""

    command = "tlsdemo versions"

    synopsis = "Usage: tlsdemo versions [--clear [name...]]"

    longdesc = (
        "Shows the versions in use, and the environments with others that --against has built: "
        "what is in each, where it is, its size, and when it was last used."
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["clear", None, "Remove the environments that are named, or all. The beginning of a name "
         "will do, if no other begins so."],
    ]  # fmt: skip

    def parseArgs(self, *names: str) -> None:
        """Take the names of what is to be removed."""
        self["names"] = names

    def postOptions(self) -> None:
        """Check what only shows when all options are known."""
        super().postOptions()
        if self["names"] and not self["clear"]:
            raise usage.UsageError(f"{self['names'][0]!r} is not understood without --clear")

    def run(self) -> int:
        """List or remove, and return the exit status."""
        try:
            cache = Cache(default_folder())
            return self._clear(cache) if self["clear"] else self._show(cache)
        except (ComparisonError, OSError) as problem:
            fail(self.command, problem, status=1)

    def _show(self, cache: Cache) -> int:
        print(f"here: {versions_text(versions())}")
        for name in cache.names():
            print()
            environment = cache.find(name)
            if environment is None:
                print(f"{name}\n  not whole: a build goes on, or was interrupted")
            else:
                self._show_one(environment)
            print(f"  in {cache.folder_of(name)}")
        return 0

    def _show_one(self, environment: Environment) -> None:
        used = datetime.fromtimestamp(environment.used).astimezone()
        print(environment.key)
        print(f"  asked for {' '.join(environment.asked)}")
        print(f"  {versions_text(environment.versions)}")
        print(f"  {megabytes(environment.size())}, last used {used:%Y-%m-%d %H:%M}")

    def _clear(self, cache: Cache) -> int:
        busy = [name for name in self._chosen(cache) if not self._remove(cache, name)]
        if busy:
            fail(self.command, f"in use by another command, and kept: {', '.join(busy)}", status=1)
        return 0

    def _remove(self, cache: Cache, name: str) -> bool:
        if removed := cache.remove(name):
            print(f"removed {name}")
        return removed

    def _chosen(self, cache: Cache) -> list[str]:
        names = cache.names()
        chosen = []
        for wanted in self["names"]:
            found = [each for each in names if each.startswith(wanted)]
            if wanted not in found and len(found) != 1:
                problem = f"{len(found)} begin so" if found else "there is none of that name"
                fail(self.command, f"{wanted!r}: {problem} (try: {self.command})", status=1)
            chosen.append(wanted if wanted in found else found[0])
        return chosen if self["names"] else names
