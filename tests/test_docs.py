"""The pages of docs/ that are written by hand say what the code says."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.python.reflect import namedAny
from twisted.trial.unittest import SynchronousTestCase

from tests.cli.test_help import CommandCase
from tests.support import factory_of
from tests.test_architecture import ROOM_MAY_IMPORT, ROOT, imports_between_rooms
from tests.tls.memory_ends import server_tls
from tlsdemo.close_reasons import Cause
from tlsdemo.testing import Recorder, RecordingListener, StartTLSTransport
from tlsdemo.tls import MODES, ConnectionSettings, EncryptedSide, ModeName, UpgradeProtocol


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def reachable(imports: dict[str, set[str]], room: str) -> set[str]:
    """The rooms that a room imports, and those that they import in turn."""
    return set().union(*({other} | reachable(imports, other) for other in imports[room]))


def direct(imports: dict[str, set[str]]) -> set[tuple[str, str]]:
    """The imports that do not follow from others (the transitive reduction)."""
    return {
        (room, other)
        for room, others in imports.items()
        for other in others
        if not any(other in reachable(imports, between) for between in others)
    }


def delivery_chain(name: ModeName) -> Iterator[str]:
    """The classes through which a socket's bytes pass in a mode, after the switch."""
    settings = ConnectionSettings(MODES[name], server_tls())
    listener = RecordingListener([], Recorder())
    factory = factory_of(UpgradeProtocol(settings, listener, Clock()))
    wrapped = settings.mode.wrap(settings.tls, factory, Clock())
    transport = StartTLSTransport(wrapped.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1)))
    transport.connect()
    protocol = transport.protocol
    while protocol is not None:
        public = (each for each in type(protocol).__mro__ if not each.__name__.startswith("_"))
        yield next(public).__name__
        is_pair = isinstance(protocol, EncryptedSide)
        protocol = protocol._layer if is_pair else getattr(protocol, "wrappedProtocol", None)


class ArchitecturePageTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.page = read("docs/architecture.md")
        section = self.page.partition("\n## The rooms\n")[2].partition("\n## ")[0]
        self.rows = re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", section, re.MULTILINE)

    def test_the_diagram_has_an_arrow_for_each_import_that_does_not_follow_from_others(
        self,
    ) -> None:
        (diagram,) = blocks(self.page, "mermaid")
        drawn = re.findall(r"^ +(\w+) --> (\w+)$", diagram, re.MULTILINE)
        arrows = direct(imports_between_rooms())
        expected = "\n".join(f"    {room} --> {other}" for room, other in sorted(arrows))
        self.assertEqual(set(drawn), arrows, f"draw in docs/architecture.md:\n{expected}")
        self.assertEqual(len(drawn), len(arrows))

    def test_every_room_is_listed(self) -> None:
        self.assertEqual(sorted(room for room, _ in self.rows), sorted(ROOM_MAY_IMPORT))

    def test_all_named_modules_exist(self) -> None:
        named = re.findall(r"`((?:\w+/)*\w+\.py)`", self.page)
        self.assertGreater(len(named), 20)
        missing = [
            name
            for name in named
            if not ((ROOT / "tlsdemo" / name).exists() or (ROOT / name).exists())
        ]
        self.assertEqual(missing, [])

    def test_the_drawing_of_each_mode_is_what_a_socket_delivers_to(self) -> None:
        (drawing,) = blocks(self.page, "text")
        drawn = dict(line.split(":") for line in drawing.splitlines())
        for name in ModeName:
            self.assertEqual(drawn[name.value].strip(), " → ".join(delivery_chain(name)))

    def test_the_modules_of_a_room_are_in_that_room(self) -> None:
        for room, modules in self.rows:
            for name in re.findall(r"`(.*?)\.py`", modules):
                self.assertEqual(Path(name).parts[0], room)


class ApiPageTests(SynchronousTestCase):
    def test_the_examples_work(self) -> None:
        source = "\n".join(blocks(read("docs/api.md"), "pycon"))
        example = doctest.DocTestParser().get_doctest(source, {}, "docs/api.md", None, 0)
        output: list[str] = []
        failed, attempted = doctest.DocTestRunner().run(example, out=output.append)
        self.assertEqual(failed, 0, "".join(output))
        self.assertGreater(attempted, 50)


class ContributingTests(SynchronousTestCase):
    def test_all_named_tests_exist(self) -> None:
        for name in set(re.findall(r"\btests(?:\.\w+)+", read("CONTRIBUTING.md"))):
            namedAny(name)


class ReadmeTests(CommandCase):
    def test_all_mentioned_options_exist(self) -> None:
        offered = set(re.findall(r"--[a-z][a-z-]+", "".join(text for _, text in self.helps())))
        docs = ROOT / "docs"
        pages = (docs / "server.md", docs / "compare.md", *(docs / "how-to").glob("*.md"))
        offered.add("--include-deps")  # pipx has it.
        for page in (ROOT / "README.md", *pages):
            mentioned = set(re.findall(r"--[a-z][a-z-]+", page.read_text(encoding="utf-8")))
            self.assertEqual(mentioned - offered, set(), page.name)


class SecurityPageTests(SynchronousTestCase):
    def test_all_named_tests_exist(self) -> None:
        missing = []
        for paragraph in read("docs/security.md").split("\n\n"):
            source = ""
            for module, test in re.findall(r"`(?:(tests\.[\w.]+)|(test_\w+))`", paragraph):
                if module:
                    source = read(module.replace(".", "/") + ".py")
                elif f"def {test}(" not in source:
                    missing.append(test)
        self.assertEqual(missing, [])

    def test_the_alert_for_every_cause_is_told(self) -> None:
        section = read("docs/security.md").partition("| cause | alert |")[2].partition("\n\n")[0]
        rows = [row.split(" | ")[0].strip("| ") for row in section.splitlines()[2:]]
        told = [name for row in rows for name in row.split(", ")]
        self.assertEqual(sorted(told), sorted(cause.value for cause in Cause))


class CausesPageTests(SynchronousTestCase):
    def test_tells_every_cause_once(self) -> None:
        rows = re.findall(r"^\| (.*?) \| ", read("docs/causes.md"), re.MULTILINE)
        told = [name for row in rows for name in row.split(", ") if name != "cause"]
        self.assertEqual(sorted(told), sorted(cause.value for cause in Cause))


class LinkTests(SynchronousTestCase):
    def test_all_linked_files_and_headings_exist(self) -> None:
        pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")]
        broken = []
        for page in pages:
            for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
                path, _, anchor = link.partition("#")
                target = (page.parent / path) if path else page
                if "://" in link:
                    continue
                if not target.exists() or (anchor and anchor not in self.anchors(target)):
                    broken.append(f"{page.relative_to(ROOT)}: {link}")
        self.assertEqual(broken, [])

    def anchors(self, page: Path) -> set[str]:
        """The anchors that GitHub gives to the headings of a page."""
        headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        return {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
