"""The rules of the architecture, checked against the code.

The rules are the tables below; the functions after them read the code.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.scan.rule_catalogue import RULES as SCAN_RULES
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import MODES

ROOT = Path(__file__).resolve().parent.parent

LONGEST_MODULE = 350

# The rooms, and the rooms that each may import. The table is complete: a new room must be added to
# it. tap.py and tap_client.py are where twistd finds them, and belong to cli.
LIBRARY = {
    "printable",
    "close_reasons",
    "state_machine",
    "net",
    "certificates",
    "starttls",
    "tls",
}

ROOM_MAY_IMPORT: dict[str, set[str]] = {
    "printable": set(),
    "close_reasons": {"printable"},
    "state_machine": set(),
    "net": {"printable"},
    "certificates": set(),
    "starttls": {"close_reasons", "state_machine"},
    "trace": {"close_reasons"},
    "tls": {"printable", "close_reasons", "state_machine", "net", "certificates", "starttls"},
    "reporting": {"printable", "close_reasons", "trace"},
    "proxy": {*LIBRARY, "trace", "reporting"},
    "loadgen": {*LIBRARY, "trace", "reporting"},
    "lab": {*LIBRARY, "trace", "reporting"},
    "metrics": {*LIBRARY, "reporting", "proxy"},
    "web": {*LIBRARY, "trace", "reporting", "proxy", "metrics"},
    "cli": {*LIBRARY, "trace", "reporting", "proxy", "loadgen", "lab", "web", "gate", "scan"},
    "gate": {*LIBRARY, "trace", "reporting", "lab", "testing"},
    # Reads source code; of what it is about, it knows only names.
    "scan": set(),
    # Public, for the tests of others; of tlsdemo only the gate imports it.  Its pins put a protocol
    # through the laboratory's scenarios, and draw what was seen.
    "testing": {*LIBRARY, "trace", "reporting", "lab"},
}
# What Twisted's plugin files may import: twistd loads all of them to list its commands.
PLUGINS_MAY_IMPORT = {"tls"}

ROOM_OF = {"__main__": "cli", "tap": "cli", "tap_client": "cli"}

# Modules that must not import each other; only the catalogue of their package imports all.
SIBLINGS: dict[str, set[str]] = {
    "tlsdemo.tls": {mode.secure.__module__.rpartition(".")[2] for mode in MODES.values()},
    "tlsdemo.proxy": {"echo_handler", "proxy_handler", "sink_handler"},
    "tlsdemo.lab.findings": {
        *("alpn", "closing", "small_writes", "defaults", "delivery", "connection_ends"),
        *("handshake_events", "mail", "rejecting", "resumption", "stopping", "upgrading"),
        *("hello", "incoming", "key_exchange", "new_pyopenssl", "wrapping"),
    },
    "tlsdemo.loadgen": {
        *("churn_scenario", "idle_scenario", "pingpong_scenario", "stream_scenario"),
    },
    "tlsdemo.scan.rules": {
        rule.check.__module__.rpartition(".")[2] for rule in SCAN_RULES.values()
    },
    "tlsdemo.starttls": {
        dialect.server.__module__.rpartition(".")[2] for dialect in DIALECTS.values()
    },
}

# Modules and names that only these files may import.
ONLY_IN: dict[str, tuple[str, ...]] = {
    # The findings reproduce the behaviour of Twisted without tlsdemo/tls/.
    "OpenSSL": ("tlsdemo/tls/", "tlsdemo/lab/findings/"),
    "service_identity": ("tlsdemo/tls/",),
    # Besides these, programs that run Twisted without tlsdemo, for comparison.
    "twisted.protocols.tls": (
        "tlsdemo/tls/",
        "tlsdemo/lab/findings/",
        "tlsdemo/lab/stacks/twisted_wrapped.py",
        "tlsdemo/lab/stacks/twisted_pair.py",
        "tlsdemo/gate/stock_subjects.py",
        "tlsdemo/testing/starttls_transport.py",
    ),
    # Processes are supervised in one place, with a reactor or without.
    "subprocess": ("tlsdemo/net/command.py",),
    "twisted.internet.protocol.ProcessProtocol": ("tlsdemo/net/child_process.py",),
    # The edges: what a peer has chosen leaves the program only where it is made printable.
    "twisted.logger.Logger": ("tlsdemo/net/printable_logger.py",),
    # Extras: nothing else needs them.
    "prometheus_client": (
        "tlsdemo/metrics/prometheus.py",
        "tlsdemo/metrics/worker_metrics.py",
    ),
    "distributed": ("tlsdemo/loadgen/dask_cluster.py",),
    "html": ("tlsdemo/reporting/html_page.py",),
    "rich.text": ("tlsdemo/reporting/terminal.py", "tlsdemo/reporting/event_matrix_text.py"),
    # The global reactor, where a service or a worker is assembled.
    "twisted.internet.reactor": (
        "tlsdemo/tap.py",
        "tlsdemo/tap_client.py",
        "tlsdemo/cli/",
        "tlsdemo/loadgen/worker.py",
        "tlsdemo/loadgen/shard_process.py",
        "tlsdemo/lab/stacks/stock_twisted.py",
        # Its text becomes a part of a program.
        "tlsdemo/lab/findings/standalone_support.py",
    ),
}

# Private names of Twisted that cannot be avoided, and the only file that may import each.
PRIVATE_TO_TWISTED = {
    # The implementation of startTLS, for transports that are not sockets; that of iosim is a fake.
    "twisted.internet._newtls": "tlsdemo/testing/starttls_transport.py",
}

# Computations and text only: no network, and no names in Twisted's style.
PURE_FILES = (
    "tlsdemo/close_reasons.py",
    "tlsdemo/state_machine.py",
    "tlsdemo/starttls/",
    "tlsdemo/trace/",
    "tlsdemo/reporting/",
    "tlsdemo/scan/",
    "tlsdemo/lab/scenarios.py",
    "tlsdemo/metrics/figures.py",
    "tlsdemo/metrics/histogram.py",
    "tlsdemo/metrics/reading.py",
    "tlsdemo/web/live_series.py",
    "tlsdemo/loadgen/appointment.py",
    "tlsdemo/loadgen/arrivals.py",
    "tlsdemo/loadgen/exchange.py",
    "tlsdemo/loadgen/plan.py",
    "tlsdemo/loadgen/schedule.py",
    "tlsdemo/lab/compare/tool_errors.py",
    "tlsdemo/lab/compare/comparison_error.py",
    "tlsdemo/lab/compare/requirements.py",
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

    @cached_property
    def imports(self) -> list[tuple[int, str]]:
        """The line and the full name of every import in the file."""
        return list(self._imports())

    def _imports(self) -> Found:
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


def _room(name: str) -> str | None:
    """The room of a module or of a name in it; none for tlsdemo's own version."""
    parts = name.split(".")
    if parts[0] != "tlsdemo" or len(parts) == 1 or parts[1] == "__version__":
        return None
    return ROOM_OF.get(parts[1], parts[1])


def imports_between_rooms() -> dict[str, set[str]]:
    """For each room, the other rooms that its modules import."""
    found: dict[str, set[str]] = {room: set() for room in ROOM_MAY_IMPORT}
    for module in modules():
        room = _room(module.name)
        if room is not None:
            others = {_room(name) for _, name in module.imports} - {None, room}
            found[room].update(other for other in others if other is not None)
    return found


def rooms_import_only_what_they_may(module: Module) -> Found:
    room = _room(module.name)
    if room is not None and room not in ROOM_MAY_IMPORT:
        yield 1, f"{room} is not in the table ROOM_MAY_IMPORT"
        return
    allowed = ROOM_MAY_IMPORT[room] if room else PLUGINS_MAY_IMPORT
    for line, name in module.imports:
        other = _room(name)
        if other is not None and other != room and other not in allowed:
            yield line, f"{room or module.name} imports {other}"


def siblings_do_not_import_each_other(module: Module) -> Found:
    siblings = SIBLINGS.get(module.package, set())
    own = module.name.rpartition(".")[2]
    if own in siblings:
        for line, name in module.imports:
            for other in siblings - {own}:
                if _within(name, f"{module.package}.{other}"):
                    yield line, f"{own} imports its sibling {other}"


def restricted_imports_are_in_their_places(module: Module) -> Found:
    for line, name in module.imports:
        for thing, places in ONLY_IN.items():
            if _within(name, thing) and not module.path.startswith(places):
                yield line, f"imports {thing}, which only {', '.join(places)} may"


def pure_files_import_no_io(module: Module) -> Found:
    if module.is_pure:
        for line, name in module.imports:
            if name.split(".")[0] in NEVER_IN_PURE_FILES:
                yield line, f"is pure, but imports {name}"


def pure_files_have_no_camel_case(module: Module) -> Found:
    if module.is_pure:
        for node in ast.walk(module.tree):
            if isinstance(node, FUNCTIONS) and CAMEL_CASE.search(node.name):
                yield node.lineno, f"is pure, but defines {node.name}"


def nothing_private_comes_from_twisted(module: Module) -> Found:
    for line, name in module.imports:
        parts = name.split(".")
        is_private = parts[0] == "twisted" and any(re.match(r"_(?!_)", part) for part in parts)
        if is_private and PRIVATE_TO_TWISTED.get(name) != module.path:
            yield line, f"imports {name}, which is private to Twisted"


def standard_error_gets_lines(module: Module) -> Found:
    for number, line in enumerate(module.source.splitlines(), 1):
        if "stderr.write" in line:
            yield number, "writes to standard error other than by write_line"


def modules_are_short(module: Module) -> Found:
    length = len(module.source.splitlines())
    if length > LONGEST_MODULE:
        yield length, f"has {length} lines, over {LONGEST_MODULE}"


RULES = (
    rooms_import_only_what_they_may,
    siblings_do_not_import_each_other,
    restricted_imports_are_in_their_places,
    pure_files_import_no_io,
    pure_files_have_no_camel_case,
    nothing_private_comes_from_twisted,
    standard_error_gets_lines,
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


def is_named(module: Module) -> bool:
    """Whether it has a name of its own: a package's face has not."""
    return not module.path.endswith(("/__init__.py", "/__main__.py"))


def circle(of: list[Module]) -> list[str]:
    """The modules of a circle of imports, also of those for types only; empty if there is none."""
    named = {module.name: module for module in of}
    graph = {
        name: {
            other
            for _, full in module.imports
            for other in (full, full.rpartition(".")[0])
            if other in named and other != name and is_named(named[other])
        }
        for name, module in named.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


class ArchitectureTests(SynchronousTestCase):
    def test_the_code_keeps_the_rules(self) -> None:
        found = [violation for module in modules() for violation in violations(module)]
        if found:
            self.fail("\n".join(["rules broken:", *found]))

    def test_there_are_no_circles(self) -> None:
        self.assertEqual(circle(modules()), [])

    def test_no_module_name_is_there_twice(self) -> None:
        names = Counter(module.name.rpartition(".")[2] for module in modules() if is_named(module))
        self.assertEqual([name for name, count in names.items() if count > 1], [])

    def test_every_module_is_checked(self) -> None:
        paths = {module.path for module in modules()}
        self.assertLessEqual({"tlsdemo/tap.py", "twisted/plugins/tlsdemo_plugin.py"}, paths)

    def test_every_directory_is_a_package(self) -> None:
        folders = {
            path.parent for top in ("tlsdemo", "tests") for path in (ROOT / top).rglob("*.py")
        }
        bare = [str(folder) for folder in folders if not (folder / "__init__.py").exists()]
        self.assertEqual(bare, [])

    def test_twisted_stays_a_namespace_package(self) -> None:
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])


class CheckerTests(SynchronousTestCase):
    """A rule that finds nothing proves something only if it can find."""

    def check(self, path: str, source: str, *expected: str) -> None:
        self.assertEqual(violations(Module(path, source)), [f"{path}:{each}" for each in expected])

    def test_it_finds_an_import_of_a_room_above(self) -> None:
        self.check(
            "tlsdemo/tls/secure_pair.py",
            "import os\nfrom tlsdemo.proxy import handler\n",
            "2: tls imports proxy",
        )

    def test_it_finds_an_import_of_a_room_beside(self) -> None:
        self.check(
            "tlsdemo/loadgen/sender.py", "import tlsdemo.lab.relay\n", "1: loadgen imports lab"
        )

    def test_it_finds_a_relative_import(self) -> None:
        self.check("tlsdemo/net/a.py", "from ..tls.policy import x\n", "1: net imports tls")
        self.check("tlsdemo/net/__init__.py", "from .. import proxy\n", "1: net imports proxy")
        self.check(
            "tlsdemo/close_reasons.py", "from . import net\n", "1: close_reasons imports net"
        )

    def test_it_finds_a_circle(self) -> None:
        one = Module("tlsdemo/net/one.py", "from tlsdemo.net.two import x\n")
        two = Module("tlsdemo/net/two.py", "if TYPE_CHECKING:\n    from tlsdemo.net import one\n")
        self.assertEqual(set(circle([one, two])), {"tlsdemo.net.one", "tlsdemo.net.two"})

    def test_it_finds_an_import_inside_a_function(self) -> None:
        self.check(
            "tlsdemo/reporting/progress.py",
            "def f():\n    from tlsdemo.loadgen import schedule\n",
            "2: reporting imports loadgen",
        )

    def test_it_finds_an_import_for_types_only(self) -> None:
        self.check(
            "tlsdemo/close_reasons.py",
            "if TYPE_CHECKING:\n    from zope.interface import Interface\n",
            "2: is pure, but imports zope.interface.Interface",
        )

    def test_it_treats_the_modules_of_twistd_as_part_of_cli(self) -> None:
        self.check(
            "tlsdemo/tap.py", "from tlsdemo.lab import relay\nfrom tlsdemo.cli import options\n"
        )

    def test_it_finds_a_room_that_is_not_in_the_table(self) -> None:
        self.check("tlsdemo/news.py", "", "1: news is not in the table ROOM_MAY_IMPORT")

    def test_it_finds_an_import_of_a_room_that_is_not_in_the_table(self) -> None:
        self.check("tlsdemo/net/limits.py", "from tlsdemo import news\n", "1: net imports news")

    def test_it_finds_siblings_that_import_each_other(self) -> None:
        self.check(
            "tlsdemo/tls/secure_pair.py",
            "from tlsdemo.tls.starttls import x\n",
            "1: secure_pair imports its sibling starttls",
        )
        self.check(
            "tlsdemo/proxy/echo_handler.py",
            "from . import sink_handler\n",
            "1: echo_handler imports its sibling sink_handler",
        )

    def test_it_finds_openssl_outside_its_package(self) -> None:
        where = "which only tlsdemo/tls/, tlsdemo/lab/findings/ may"
        self.check(
            "tlsdemo/cli/main.py", "from OpenSSL import SSL\n", f"1: imports OpenSSL, {where}"
        )
        self.check(
            "tlsdemo/proxy/handler.py",
            "from twisted.protocols import tls\n",
            "1: imports twisted.protocols.tls, which only tlsdemo/tls/, tlsdemo/lab/findings/, "
            "tlsdemo/lab/stacks/twisted_wrapped.py, tlsdemo/lab/stacks/twisted_pair.py, "
            "tlsdemo/gate/stock_subjects.py, tlsdemo/testing/starttls_transport.py may",
        )

    def test_it_finds_the_global_reactor(self) -> None:
        for source in ("from twisted.internet import reactor", "import twisted.internet.reactor"):
            (found,) = violations(Module("tlsdemo/loadgen/sender.py", source))
            self.assertIn("tlsdemo/loadgen/sender.py:1: imports twisted.internet.reactor", found)
        self.check("tlsdemo/tap.py", "from twisted.internet import reactor\n")

    def test_it_finds_io_in_a_pure_file(self) -> None:
        self.check(
            "tlsdemo/loadgen/schedule.py",
            "from twisted.internet.defer import Deferred\n",
            "1: is pure, but imports twisted.internet.defer.Deferred",
        )

    def test_it_finds_camel_case_in_a_pure_file(self) -> None:
        self.check(
            "tlsdemo/starttls/line.py",
            "class Line:\n    def lineReceived(self): pass\n",
            "2: is pure, but defines lineReceived",
        )

    def test_it_finds_private_names_of_twisted(self) -> None:
        self.check(
            "tlsdemo/proxy/handler.py",
            "from twisted.internet._newtls import startTLS\n",
            "1: imports twisted.internet._newtls.startTLS, which is private to Twisted",
        )

    def test_it_allows_a_private_name_of_twisted_in_the_file_that_needs_it(self) -> None:
        source = "from twisted.internet import _newtls\n"
        self.check("tlsdemo/testing/starttls_transport.py", source)
        self.check(
            "tlsdemo/testing/memory_transport.py",
            source,
            "1: imports twisted.internet._newtls, which is private to Twisted",
        )

    def test_it_finds_a_product_that_imports_the_test_helpers(self) -> None:
        self.check(
            "tlsdemo/tls/modes.py",
            "from tlsdemo.testing import MemoryTransport\n",
            "1: tls imports testing",
        )

    def test_it_finds_ways_around_the_edges(self) -> None:
        for source, found in (
            ("from twisted.logger import Logger\n", "imports twisted.logger.Logger, "),
            ("from html import escape\n", "imports html, "),
            ("from rich.text import Text\n", "imports rich.text, "),
            ("sys.stderr.write(text)\n", "writes to standard error other than by write_line"),
        ):
            (violation,) = violations(Module("tlsdemo/cli/main.py", source))
            self.assertIn(found, violation)

    def test_it_finds_a_long_module(self) -> None:
        self.check("tlsdemo/cli/main.py", "\n" * 351, "351: has 351 lines, over 350")

    def test_it_allows_what_the_rules_allow(self) -> None:
        self.check(
            "tlsdemo/tls/modes.py",
            "from OpenSSL import SSL\n"
            "from tlsdemo import __version__\n"
            "from tlsdemo.tls import secure_pair, starttls\n"
            "from tlsdemo.close_reasons import Cause\n"
            "from twisted.protocols import tls\n",
        )
