from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.comparison_error import ComparisonError
from tlsdemo.lab.compare.requirements import (
    Requirement,
    check_supported,
    environment_key,
    normalized,
    parse_requirements,
)


class Parsing(SynchronousTestCase):
    def texts(self, text: str) -> list[str]:
        return [each.text for each in parse_requirements(text)]

    def problem(self, text: str) -> str:
        return str(self.assertRaises(ComparisonError, parse_requirements, text))

    def test_requirements_are_sorted_by_name(self) -> None:
        expected = [
            Requirement("pyOpenSSL==24.2.1", "pyopenssl"),
            Requirement("twisted==24.7.0", "twisted"),
        ]
        self.assertEqual(parse_requirements("twisted==24.7.0 pyOpenSSL==24.2.1"), expected)
        self.assertEqual(parse_requirements(" pyOpenSSL==24.2.1\n twisted==24.7.0 "), expected)

    def test_spaces_around_operators_are_accepted(self) -> None:
        self.assertEqual(
            self.texts("Twisted[tls] >= 24.7, < 25  cryptography == 43.*"),
            ["cryptography==43.*", "Twisted[tls]>=24.7,<25"],
        )

    def test_a_url_is_accepted(self) -> None:
        address = "twisted@git+https://example.org/twisted.git@trunk"
        self.assertEqual(self.texts(address), [address])
        self.assertEqual(self.texts("twisted @ file:///home/me/twisted"),
                         ["twisted@file:///home/me/twisted"])  # fmt: skip

    def test_a_version_a_commit_and_the_state_of_a_folder_are_fixed(self) -> None:
        for text in (
            *("twisted==24.7.0", "twisted>=24,==24.7.0", "twisted===24.7.0"),
            f"twisted@git+https://example.org/twisted.git@{'0a' * 20}",
            *("twisted@file:///t#state=0123", "twisted@file:///t/twisted-0123.zip"),
        ):
            self.assertTrue(parse_requirements(text)[0].is_fixed, text)

    def test_a_range_and_a_branch_are_not(self) -> None:
        for text in (
            *("twisted", "twisted[tls]", "twisted>=24.7", "twisted==24.*", "twisted!=24.7.0"),
            *("twisted@git+https://example.org/twisted.git@trunk", "twisted@file:///t"),
        ):
            self.assertFalse(parse_requirements(text)[0].is_fixed, text)

    def test_a_name_alone_is_accepted(self) -> None:
        self.assertEqual(self.texts("twisted"), ["twisted"])

    def test_an_option_of_pip_is_refused(self) -> None:
        for text in ("--index-url=http://example.org", "-r", "twisted==24.7.0 -e."):
            option = text.split()[-1]
            self.assertEqual(
                self.problem(text), f"{option!r} is not a requirement such as twisted==24.7.0"
            )

    def test_an_invalid_requirement_is_refused(self) -> None:
        for text in ("twisted=24", "./twisted", "/etc", "twisted;", "twisted==", "==1", "a@b", "ü"):
            self.assertIn("is not a requirement such as twisted==24.7.0", self.problem(text))

    def test_a_package_that_is_named_twice_is_refused_whatever_the_spelling(self) -> None:
        text = "service-identity==24.1.0 Service_Identity==24.2.0"
        self.assertEqual(self.problem(text), "it names service-identity more than once")

    def test_an_empty_text_is_refused(self) -> None:
        self.assertIn("it names no package", self.problem("  "))

    def test_another_tlsdemo_is_refused(self) -> None:
        self.assertIn("the running tlsdemo is used in all environments", self.problem("tlsdemo==1"))

    def test_names_are_normalized(self) -> None:
        self.assertEqual(normalized("Zope._interface"), "zope-interface")


class SupportedVersions(SynchronousTestCase):
    NEEDED = (
        *parse_requirements("Twisted[tls] >= 24.7 pyOpenSSL >= 24.2.1, < 99"),
        *parse_requirements("rich"),
    )

    def test_a_version_older_than_the_dependency_is_refused(self) -> None:
        for text, least in {
            "twisted==22.10": "Twisted[tls]>=24.7",
            "twisted==24.6.9": "Twisted[tls]>=24.7",
            "pyopenssl==24.2.0": "pyOpenSSL>=24.2.1,<99",
        }.items():
            problem = self.assertRaises(
                ComparisonError, check_supported, parse_requirements(text), self.NEEDED
            )
            self.assertEqual(
                str(problem), f"{text} is older than tlsdemo supports, which needs {least}"
            )

    def test_the_oldest_supported_version_and_newer_ones_are_accepted(self) -> None:
        for text in ("twisted==24.7", "twisted==24.7.0", "twisted==24.10", "twisted==99"):
            check_supported(parse_requirements(text), self.NEEDED)

    def test_without_a_pinned_version_the_check_is_left_to_pip(self) -> None:
        for text in ("twisted", "twisted<22", "rich==1", "attrs==1", "twisted@https://example.org"):
            check_supported(parse_requirements(text), self.NEEDED)


class EnvironmentKey(SynchronousTestCase):
    REQUESTED = parse_requirements("twisted==24.7.0 pyopenssl==24.2.1")

    def test_it_is_readable(self) -> None:
        found = environment_key(self.REQUESTED, "3.12.1")
        self.assertRegex(found, r"^pyopenssl-24.2.1_twisted-24.7.0_python-3.12_[0-9a-f]{8}$")

    def test_it_does_not_depend_on_order_or_spelling(self) -> None:
        again = parse_requirements("pyOpenSSL == 24.2.1 Twisted==24.7.0")
        self.assertEqual(
            environment_key(again, "3.12.1", "x"), environment_key(self.REQUESTED, "3.12.1", "x")
        )

    def test_it_depends_on_everything_that_the_environment_depends_on(self) -> None:
        keys = {
            environment_key(self.REQUESTED, "3.12.1"),
            environment_key(self.REQUESTED, "3.12.2"),
            environment_key(self.REQUESTED, "3.12.1", "needed"),
            environment_key(self.REQUESTED[1:], "3.12.1"),
            environment_key(parse_requirements("twisted<=24.7.0"), "3.12.1"),
            environment_key(parse_requirements("twisted>=24.7.0"), "3.12.1"),
        }
        self.assertEqual(len(keys), 6)

    def test_it_is_a_valid_folder_name_whatever_the_requirements(self) -> None:
        for text in ("twisted@git+https://example.org/../a", "twisted[tls]>=1,!=2,<=3.*", "a" * 99):
            self.assertRegex(
                environment_key(parse_requirements(text), "3.12.1"), r"^[a-z][a-z0-9._-]{1,80}$"
            )
