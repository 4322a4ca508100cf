"""The rules of who may import whom, held against the code.

The rules are the data below; the functions after them only read the code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).resolve().parent.parent

LONGEST_MODULE = 350

# A unit is a package or a module at the top of tlsdemo. The table has to be complete: a new unit
# finds its place in it before it passes.
PURE = {"upgrade", "wire", "timeline", "trace", "sightings", "causes", "figures"}
SECURING = {"secure", *PURE}
HELPERS = {"addresses", "against", "authority", "credentials", "limits", "sockets"}
LOWER = {"events", "findings", "load", "peers", "report", "server", "session", *SECURING, *HELPERS}
ENTRY_POINTS = {"__main__", "cli", "command", "tap", "tap_client"}

UNIT_MAY_IMPORT: dict[str, set[str]] = {
    **{unit: {*LOWER, *ENTRY_POINTS} for unit in ENTRY_POINTS},
    "server": {*SECURING, "session", "addresses", "sockets"},
    "load": {*SECURING, "session", "addresses"},
    # What others do, in their own words: it knows nothing of how we secure.
    "peers": {"timeline"},
    # What is found of Twisted is found without the rest of tlsdemo.
    "findings": {"authority", "credentials"},
    "session": {*SECURING, "sockets"},
    "report": {"timeline", "trace", "sightings", "wire", "causes", "figures", "against"},
    "secure": {"timeline", "trace", "wire", "causes", "credentials"},
    **{unit: set() for unit in PURE},
    "trace": {"timeline", "wire"},
    "sightings": {"timeline", "trace", "wire"},
    "events": {*SECURING, "session", "peers", "authority", "credentials"},
    # A dialogue refuses for a named cause.
    "upgrade": {"causes"},
    "addresses": set(),
    "against": {"figures"},
    "authority": {"credentials"},
    "credentials": set(),
    "limits": set(),
    "sockets": set(),
}

# A worker is a process of its own, and so an entry point as well.
MODULE_MAY_ALSO_IMPORT: dict[str, set[str]] = {
    "tlsdemo.load.worker": {"credentials", "limits"},
    # Which environment a child process needs is known there.
    "tlsdemo.peers.peer": {"load"},
}

# Each of these stands alone; only the catalogue of its package knows them all.
SIBLINGS: dict[str, set[str]] = {
    "tlsdemo.secure": {"clear", "pair", "starttls", "wrapped"},
    "tlsdemo.server": {"echo", "proxy", "sink"},
    "tlsdemo.findings": {
        *("alpn", "closing", "cost", "defaults", "delivery", "endings"),
        *("handshake_events", "mail", "rejecting", "resumption", "stopping", "upgrading"),
    },
    "tlsdemo.upgrade": {
        *("immediate", "line", "smtp", "imap", "pop3", "postgres"),
        *("ldap", "xmpp", "nntp", "sieve", "ftp", "mysql"),
    },
}

# What only these may import.
ONLY_IN: dict[str, tuple[str, ...]] = {
    # The findings show stock Twisted as it is, and not what tlsdemo/secure/ makes of it.
    "OpenSSL": ("tlsdemo/secure/", "tlsdemo/findings/"),
    "service_identity": ("tlsdemo/secure/",),
    # Besides, stock Twisted as it is, shown beside ours: programs of their own.
    "twisted.protocols.tls": (
        "tlsdemo/secure/",
        "tlsdemo/findings/",
        "tlsdemo/peers/twisted_wrapped.py",
        "tlsdemo/peers/twisted_pair.py",
    ),
    # The global reactor, where a service or a worker is put together.
    "twisted.internet.reactor": (
        "tlsdemo/tap.py",
        "tlsdemo/tap_client.py",
        "tlsdemo/command/",
        "tlsdemo/load/worker.py",
        "tlsdemo/peers/twisted_",
    ),
}

# Arithmetic and words: no I/O, and so nothing that is named as Twisted names it.
PURE_FILES = (
    "tlsdemo/upgrade/",
    "tlsdemo/wire/",
    "tlsdemo/timeline.py",
    "tlsdemo/trace.py",
    "tlsdemo/sightings.py",
    "tlsdemo/events/ways.py",
    "tlsdemo/report/grouping.py",
    "tlsdemo/causes.py",
    "tlsdemo/figures/",
    "tlsdemo/load/plan.py",
    *(
        f"tlsdemo/against/{name}.py"
        for name in (
            *("complaints", "confidence", "costs", "events", "findings", "problem"),
            "requirements",
        )
    ),
)
NEVER_IN_PURE_FILES = ("twisted", "OpenSSL", "service_identity", "zope")

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CAMEL_CASE = re.compile(r"[a-z0-9][A-Z]")

Found = Iterator[tuple[int, str]]


@dataclass(frozen=True)
class Module:
    """A file's path from the root of the tree, and its source."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, self.path)

    @cached_property
    def name(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @cached_property
    def package(self) -> str:
        return self.name if self.path.endswith("/__init__.py") else self.name.rpartition(".")[0]

    @property
    def is_pure(self) -> bool:
        return self.path.startswith(PURE_FILES)

    def imports(self) -> Found:
        """The line and the full name of all that is imported, wherever in the file it is."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    yield node.lineno, f"{self._origin(node)}.{alias.name}"

    def _origin(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parents = self.package.split(".")
        base = parents[: len(parents) - node.level + 1]
        return ".".join([*base, node.module] if node.module else base)


def _within(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def _unit(name: str) -> str | None:
    """The unit that a module or one of its names belongs to; none for tlsdemo's own version."""
    parts = name.split(".")
    if parts[0] != "tlsdemo" or len(parts) == 1 or parts[1] == "__version__":
        return None
    return parts[1]


def units_import_only_what_they_may(module: Module) -> Found:
    unit = _unit(module.name)
    if unit is not None and unit not in UNIT_MAY_IMPORT:
        yield 1, f"{unit} has no place in the table of who may import whom"
        return
    allowed = UNIT_MAY_IMPORT[unit] if unit else set()
    allowed = allowed | MODULE_MAY_ALSO_IMPORT.get(module.name, set())
    for line, name in module.imports():
        other = _unit(name)
        if other is not None and other != unit and other not in allowed:
            yield line, f"{unit or module.name} imports {other}"


def siblings_do_not_know_each_other(module: Module) -> Found:
    siblings = SIBLINGS.get(module.package, set())
    own = module.name.rpartition(".")[2]
    if own in siblings:
        for line, name in module.imports():
            for other in siblings - {own}:
                if _within(name, f"{module.package}.{other}"):
                    yield line, f"{own} imports its sibling {other}"


def some_things_are_imported_in_one_place_only(module: Module) -> Found:
    for line, name in module.imports():
        for thing, places in ONLY_IN.items():
            if _within(name, thing) and not module.path.startswith(places):
                yield line, f"imports {thing}, which only {', '.join(places)} may"


def pure_files_import_no_io(module: Module) -> Found:
    if module.is_pure:
        for line, name in module.imports():
            if name.split(".")[0] in NEVER_IN_PURE_FILES:
                yield line, f"is pure, but imports {name}"


def pure_files_have_no_camel_case(module: Module) -> Found:
    if module.is_pure:
        for node in ast.walk(module.tree):
            if isinstance(node, FUNCTIONS) and CAMEL_CASE.search(node.name):
                yield node.lineno, f"is pure, but defines {node.name}"


def nothing_private_comes_from_twisted(module: Module) -> Found:
    for line, name in module.imports():
        parts = name.split(".")
        if parts[0] == "twisted" and any(re.match(r"_(?!_)", part) for part in parts):
            yield line, f"imports {name}, which is private to Twisted"


def modules_are_short(module: Module) -> Found:
    length = len(module.source.splitlines())
    if length > LONGEST_MODULE:
        yield length, f"has {length} lines, over {LONGEST_MODULE}"


RULES = (
    units_import_only_what_they_may,
    siblings_do_not_know_each_other,
    some_things_are_imported_in_one_place_only,
    pure_files_import_no_io,
    pure_files_have_no_camel_case,
    nothing_private_comes_from_twisted,
    modules_are_short,
)


def violations(module: Module) -> list[str]:
    """Each violated rule, with the file and the line."""
    found = [f"{module.path}:{line}: {what}" for rule in RULES for line, what in rule(module)]
    # A line that imports several names breaks a rule once.
    return list(dict.fromkeys(found))


def modules() -> list[Module]:
    """All that tlsdemo is made of, the plugins included."""
    files = [*(ROOT / "tlsdemo").rglob("*.py"), *(ROOT / "twisted").rglob("*.py")]
    return [
        Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(files)
    ]


class TheCode(SynchronousTestCase):
    def test_keeps_the_rules(self) -> None:
        found = [violation for module in modules() for violation in violations(module)]
        if found:
            self.fail("\n".join(["rules broken:", *found]))

    def test_is_looked_at(self) -> None:
        paths = {module.path for module in modules()}
        self.assertLessEqual({"tlsdemo/timeline.py", "twisted/plugins/tlsdemo_plugin.py"}, paths)

    def test_is_in_packages_so_that_trial_and_the_wheel_find_it(self) -> None:
        folders = {
            path.parent for top in ("tlsdemo", "tests") for path in (ROOT / top).rglob("*.py")
        }
        bare = [str(folder) for folder in folders if not (folder / "__init__.py").exists()]
        self.assertEqual(bare, [])

    def test_leaves_twisted_a_namespace(self) -> None:
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])


class TheChecker(SynchronousTestCase):
    """A rule that finds nothing proves something only if it can find."""

    def check(self, path: str, source: str, *expected: str) -> None:
        self.assertEqual(violations(Module(path, source)), [f"{path}:{each}" for each in expected])

    def test_finds_an_import_upwards(self) -> None:
        self.check(
            "tlsdemo/secure/pair.py",
            "import os\nfrom tlsdemo.server import role\n",
            "2: secure imports server",
        )

    def test_finds_an_import_aside(self) -> None:
        self.check(
            "tlsdemo/load/plan.py", "import tlsdemo.report.figures\n", "1: load imports report"
        )

    def test_finds_a_relative_import(self) -> None:
        self.check("tlsdemo/wire/a.py", "from ..secure.pair import x\n", "1: wire imports secure")
        self.check("tlsdemo/wire/__init__.py", "from .. import server\n", "1: wire imports server")
        self.check("tlsdemo/timeline.py", "from . import wire\n", "1: timeline imports wire")

    def test_finds_an_import_inside_a_function(self) -> None:
        self.check(
            "tlsdemo/report/text.py",
            "def f():\n    from tlsdemo.load import plan\n",
            "2: report imports load",
        )

    def test_finds_an_import_for_types_only(self) -> None:
        self.check(
            "tlsdemo/causes.py",
            "if TYPE_CHECKING:\n    from zope.interface import Interface\n",
            "2: is pure, but imports zope.interface.Interface",
        )

    def test_lets_a_worker_import_more_than_the_rest_of_its_unit(self) -> None:
        source = "from tlsdemo.limits import a, b\n"
        self.check("tlsdemo/load/worker.py", source)
        self.check("tlsdemo/load/crew.py", source, "1: load imports limits")

    def test_finds_a_unit_without_a_place(self) -> None:
        self.check(
            "tlsdemo/news.py", "", "1: news has no place in the table of who may import whom"
        )

    def test_finds_an_import_of_a_unit_without_a_place(self) -> None:
        self.check("tlsdemo/limits.py", "from tlsdemo import news\n", "1: limits imports news")

    def test_finds_siblings_that_know_each_other(self) -> None:
        self.check(
            "tlsdemo/secure/pair.py",
            "from tlsdemo.secure.starttls import x\n",
            "1: pair imports its sibling starttls",
        )
        self.check(
            "tlsdemo/server/echo.py", "from . import sink\n", "1: echo imports its sibling sink"
        )

    def test_finds_openssl_outside_its_package(self) -> None:
        where = "which only tlsdemo/secure/, tlsdemo/findings/ may"
        self.check("tlsdemo/cli.py", "from OpenSSL import SSL\n", f"1: imports OpenSSL, {where}")
        self.check(
            "tlsdemo/server/role.py",
            "from twisted.protocols import tls\n",
            "1: imports twisted.protocols.tls, which only tlsdemo/secure/, tlsdemo/findings/, "
            "tlsdemo/peers/twisted_wrapped.py, tlsdemo/peers/twisted_pair.py may",
        )

    def test_finds_the_global_reactor(self) -> None:
        for source in ("from twisted.internet import reactor", "import twisted.internet.reactor"):
            (found,) = violations(Module("tlsdemo/load/crew.py", source))
            self.assertIn("tlsdemo/load/crew.py:1: imports twisted.internet.reactor", found)
        self.check("tlsdemo/tap.py", "from twisted.internet import reactor\n")

    def test_finds_io_in_a_pure_file(self) -> None:
        self.check(
            "tlsdemo/load/plan.py",
            "from twisted.internet.defer import Deferred\n",
            "1: is pure, but imports twisted.internet.defer.Deferred",
        )

    def test_finds_camel_case_in_a_pure_file(self) -> None:
        self.check(
            "tlsdemo/upgrade/line.py",
            "class Line:\n    def lineReceived(self): pass\n",
            "2: is pure, but defines lineReceived",
        )

    def test_finds_private_names_of_twisted(self) -> None:
        self.check(
            "tlsdemo/server/role.py",
            "from twisted.internet._newtls import startTLS\n",
            "1: imports twisted.internet._newtls.startTLS, which is private to Twisted",
        )

    def test_finds_a_long_module(self) -> None:
        self.check("tlsdemo/cli.py", "\n" * 351, "351: has 351 lines, over 350")

    def test_is_content_with_what_is_allowed(self) -> None:
        self.check(
            "tlsdemo/secure/modes.py",
            "from OpenSSL import SSL\n"
            "from tlsdemo import __version__\n"
            "from tlsdemo.secure import pair, starttls\n"
            "from tlsdemo.timeline import Timeline\n"
            "from twisted.protocols import tls\n",
        )
