from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

import tlsdemo
from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.source_tree import dependencies, least_python, lend

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
    def test_of_a_checkout_are_those_in_its_setup_cfg(self) -> None:
        self.checkout()
        found = [each.text for each in dependencies(self.package)]
        self.assertEqual(found, ["Twisted[tls]>=24.7", "rich"])
        self.assertEqual(least_python(self.package), (3, 11))

    def test_of_an_installed_package_are_those_it_was_installed_with_without_extras(self) -> None:
        requires = ["Twisted[tls]>=24.7", "rich>=13", 'coverage>=7; extra == "test"']
        self.installed(requires=requires, metadata={"Requires-Python": ">=3.12"})
        self.assertEqual([each.text for each in dependencies(self.package)], requires[:2])
        self.assertEqual(least_python(self.package), (3, 12))

    def test_of_an_installed_package_are_not_those_of_a_project_that_lies_around(self) -> None:
        self.checkout("another")
        self.installed(requires=["rich>=13"])
        self.assertEqual([each.text for each in dependencies(self.package)], ["rich>=13"])

    def test_are_not_known_of_a_bare_folder(self) -> None:
        def missing(name: str) -> None:
            raise metadata.PackageNotFoundError(name)

        self.patch(metadata, "distribution", missing)
        for ask in (dependencies, least_python):
            problem = self.assertRaises(Unattainable, ask, self.package)
            self.assertIn("neither installed nor in its checkout", str(problem))

    def test_of_this_very_tlsdemo_are_known(self) -> None:
        self.assertIn("twisted", [each.name for each in dependencies()])
        self.assertGreaterEqual(least_python(), (3, 10))


class Lending(Case):
    def test_lends_the_package_and_the_plugin_as_they_are_now(self) -> None:
        folder = lend(self.root, PACKAGE)
        self.assertEqual((folder / "tlsdemo").resolve(), PACKAGE)
        plugin = folder / "twisted" / "plugins" / "tlsdemo_plugin.py"
        self.assertEqual(plugin.resolve(), PACKAGE.parent / plugin.relative_to(folder))
        self.assertEqual([each.name for each in folder.iterdir() if each.name not in ("tlsdemo", "twisted")], [])  # fmt: skip # noqa: E501

    def test_leaves_twisted_a_namespace(self) -> None:
        folder = lend(self.root, PACKAGE)
        self.assertEqual(list((folder / "twisted").rglob("__init__.py")), [])

    def test_lends_again_what_was_lent_before(self) -> None:
        self.assertEqual(lend(self.root, PACKAGE), lend(self.root, PACKAGE))

    def test_lends_another_tlsdemo_in_another_folder(self) -> None:
        other = self.root / "other" / "tlsdemo"
        plugins = other.parent / "twisted" / "plugins"
        plugins.mkdir(parents=True)
        (plugins / "tlsdemo_plugin.py").touch()
        self.assertNotEqual(lend(self.root, PACKAGE), lend(self.root, other))

    def test_cannot_lend_what_has_no_plugin(self) -> None:
        problem = self.assertRaises(Unattainable, lend, self.root, self.package)
        self.assertIn("plugin for twistd is missing", str(problem))
