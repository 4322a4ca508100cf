from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import tlsdemo
from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.source_tree import dependencies, link_into, oldest_python

PACKAGE = Path(tlsdemo.__file__).resolve().parent

SETUP = """\
[metadata]
name = {name}
[options]
python_requires = >=3.11
install_requires =
    Twisted[tls] >= 24.7
    rich
"""


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.root = Path(self.mktemp()).absolute()
        self.package = self.root / "tlsdemo"
        self.package.mkdir(parents=True)

    def checkout(self, name: str = "tlsdemo") -> None:
        (self.root / "setup.cfg").write_text(SETUP.format(name=name))

    def installed(self, **values: Any) -> None:
        distribution = type("Distribution", (), values)()
        self.patch(metadata, "distribution", lambda _: distribution)


class Dependencies(Case):
    def test_those_of_a_checkout_are_in_its_setup_cfg(self) -> None:
        self.checkout()
        found = [each.text for each in dependencies(self.package)]
        self.assertEqual(found, ["Twisted[tls]>=24.7", "rich"])
        self.assertEqual(oldest_python(self.package), (3, 11))

    def test_those_of_an_installed_package_are_in_its_metadata_without_extras(self) -> None:
        requires = ["Twisted[tls]>=24.7", "rich>=13", 'coverage>=7; extra == "test"']
        self.installed(requires=requires, metadata={"Requires-Python": ">=3.12"})
        self.assertEqual([each.text for each in dependencies(self.package)], requires[:2])
        self.assertEqual(oldest_python(self.package), (3, 12))

    def test_the_setup_cfg_of_another_project_is_ignored(self) -> None:
        self.checkout("another")
        self.installed(requires=["rich>=13"])
        self.assertEqual([each.text for each in dependencies(self.package)], ["rich>=13"])

    def test_those_of_a_bare_folder_are_unknown(self) -> None:
        def missing(name: str) -> None:
            raise metadata.PackageNotFoundError(name)

        self.patch(metadata, "distribution", missing)
        for ask in (dependencies, oldest_python):
            problem = self.assertRaises(ComparisonError, ask, self.package)
            self.assertIn("neither installed nor in its checkout", str(problem))

    def test_those_of_the_running_tlsdemo_are_known(self) -> None:
        self.assertIn("twisted", [each.name for each in dependencies()])
        self.assertGreaterEqual(oldest_python(), (3, 10))


class Links(Case):
    def test_the_folder_contains_only_links_to_the_package_and_the_plugin(self) -> None:
        folder = link_into(self.root, PACKAGE)
        self.assertEqual((folder / "tlsdemo").resolve(), PACKAGE)
        plugin = folder / "twisted" / "plugins" / "tlsdemo_plugin.py"
        self.assertEqual(plugin.resolve(), PACKAGE.parent / plugin.relative_to(folder))
        self.assertEqual([each.name for each in folder.iterdir() if each.name not in ("tlsdemo", "twisted")], [])  # fmt: skip # noqa: E501

    def test_twisted_remains_a_namespace_package(self) -> None:
        folder = link_into(self.root, PACKAGE)
        self.assertEqual(list((folder / "twisted").rglob("__init__.py")), [])

    def test_existing_links_are_reused(self) -> None:
        self.assertEqual(link_into(self.root, PACKAGE), link_into(self.root, PACKAGE))

    def test_another_tlsdemo_has_another_folder(self) -> None:
        other = self.root / "other" / "tlsdemo"
        plugins = other.parent / "twisted" / "plugins"
        plugins.mkdir(parents=True)
        (plugins / "tlsdemo_plugin.py").touch()
        self.assertNotEqual(link_into(self.root, PACKAGE), link_into(self.root, other))

    def test_a_package_without_the_plugin_is_refused(self) -> None:
        problem = self.assertRaises(ComparisonError, link_into, self.root, self.package)
        self.assertIn("plugin for twistd is missing", str(problem))
