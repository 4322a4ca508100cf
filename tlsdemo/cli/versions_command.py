"""``tlsdemo versions``: the installed versions, and the environments with other versions."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from twisted.python import usage

from tlsdemo.cli.options import Options, fail
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.environment_cache import Cache, default_folder
from tlsdemo.reporting.environment_text import environment_lines
from tlsdemo.reporting.run_text import versions_text
from tlsdemo.tls import versions
from tlsdemo.tls.library_versions import private_names


class VersionsOptions(Options):
    """The options of ``tlsdemo versions``."""

    command = "tlsdemo versions"

    synopsis = "Usage: tlsdemo versions [--clear [NAME...]]"

    longdesc = (
        "Shows the installed versions, what is used of them that has no public name, and the "
        "environments with other versions that --against has built: the contents, location, size "
        "and last use of each."
    )

    optFlags: ClassVar[list[list[Any]]] = [
        ["clear", None, "Remove the named environments, or all of them. The beginning of a name "
         "is enough if no other name begins with it."],
    ]  # fmt: skip

    def parseArgs(self, *names: str) -> None:
        """Keep the names of the environments to remove."""
        self["names"] = names

    def postOptions(self) -> None:
        """Validate the options together."""
        super().postOptions()
        if self["names"] and not self["clear"]:
            raise usage.UsageError(f"{self['names'][0]!r} is not understood without --clear")

    def run(self) -> int:
        """List or remove the environments, and return the exit status."""
        try:
            cache = Cache(default_folder())
            return self._clear(cache) if self["clear"] else self._show(cache)
        except ComparisonError as problem:
            fail(self.command, problem, status=1)
        except OSError as problem:
            if problem.filename is None:  # Standard output: main() says so.
                raise
            fail(self.command, f"{problem.filename}: {problem.strerror}", status=1)

    def _show(self, cache: Cache) -> int:
        print(f"installed: {versions_text(versions())}")
        for what, name in private_names().items():
            print(f"  {what}: {name}")
        for name in cache.names():
            print()
            print(name)
            environment = cache.find(name)
            if environment is None:
                print("  incomplete: it is being built, or the build was interrupted")
            else:
                used = datetime.fromtimestamp(environment.used).astimezone()
                lines = environment_lines(
                    environment.asked, environment.versions, environment.size(), used
                )
                print("\n".join(lines))
            print(f"  in {cache.folder_of(name)}")
        return 0

    def _clear(self, cache: Cache) -> int:
        busy = [name for name in self._selected(cache) if not self._remove(cache, name)]
        if busy:
            text = f"not removed, because another command uses it: {', '.join(busy)}"
            fail(self.command, text, status=1)
        return 0

    def _remove(self, cache: Cache, name: str) -> bool:
        if removed := cache.remove(name):
            print(f"removed {name}")
        return removed

    def _selected(self, cache: Cache) -> list[str]:
        names = cache.names()
        selected = []
        for wanted in self["names"]:
            found = [each for each in names if each.startswith(wanted)]
            if wanted not in found and len(found) != 1:
                problem = f"{len(found)} names begin with it" if found else "there is no such name"
                fail(self.command, f"{wanted!r}: {problem} (try: {self.command})", status=1)
            selected.append(wanted if wanted in found else found[0])
        return selected if self["names"] else names
