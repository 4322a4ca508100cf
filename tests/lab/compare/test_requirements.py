from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.compare.problem import Unattainable
from tlsdemo.lab.compare.requirements import Requirement, check_supported, key, normal, read


class Reading(SynchronousTestCase):
    def texts(self, text: str) -> list[str]:
        return [each.text for each in read(text)]

    def problem(self, text: str) -> str:
        return str(self.assertRaises(Unattainable, read, text))

    def test_gives_the_requirements_by_name_whatever_their_order(self) -> None:
        expected = [
            Requirement("pyOpenSSL==24.2.1", "pyopenssl"),
            Requirement("twisted==24.7.0", "twisted"),
        ]
        self.assertEqual(read("twisted==24.7.0 pyOpenSSL==24.2.1"), expected)
        self.assertEqual(read(" pyOpenSSL==24.2.1\n twisted==24.7.0 "), expected)

    def test_understands_blanks_around_the_operators(self) -> None:
        self.assertEqual(
            self.texts("Twisted[tls] >= 24.7, < 25  cryptography == 43.*"),
            ["cryptography==43.*", "Twisted[tls]>=24.7,<25"],
        )

    def test_understands_an_address(self) -> None:
        address = "twisted@git+https://example.org/twisted.git@trunk"
        self.assertEqual(self.texts(address), [address])
        self.assertEqual(self.texts("twisted @ file:///home/me/twisted"),
                         ["twisted@file:///home/me/twisted"])  # fmt: skip

    def test_understands_a_name_alone(self) -> None:
        self.assertEqual(self.texts("twisted"), ["twisted"])

    def test_refuses_what_pip_would_take_for_an_option(self) -> None:
        for text in ("--index-url=http://example.org", "-r", "twisted==24.7.0 -e."):
            option = text.split()[-1]
            self.assertEqual(
                self.problem(text), f"{option!r} is no requirement such as twisted==24.7.0"
            )

    def test_refuses_what_is_no_requirement(self) -> None:
        for text in ("twisted=24", "./twisted", "/etc", "twisted;", "twisted==", "==1", "a@b", "ü"):
            self.assertIn("is no requirement such as twisted==24.7.0", self.problem(text))

    def test_refuses_a_package_that_is_named_twice_however_it_is_written(self) -> None:
        text = "service-identity==24.1.0 Service_Identity==24.2.0"
        self.assertEqual(self.problem(text), "it names service-identity more than once")

    def test_refuses_nothing_at_all(self) -> None:
        self.assertIn("it names no package", self.problem("  "))

    def test_refuses_another_tlsdemo(self) -> None:
        self.assertIn("the tlsdemo that runs is used there too", self.problem("tlsdemo==1"))

    def test_knows_that_names_are_written_in_several_ways(self) -> None:
        self.assertEqual(normal("Zope._interface"), "zope-interface")


class WhatIsSupported(SynchronousTestCase):
    NEEDED = (*read("Twisted[tls] >= 24.7 pyOpenSSL >= 24.2.1, < 99"), *read("rich"))

    def test_is_no_version_older_than_what_is_needed(self) -> None:
        for text, least in {
            "twisted==22.10": "Twisted[tls]>=24.7",
            "twisted==24.6.9": "Twisted[tls]>=24.7",
            "pyopenssl==24.2.0": "pyOpenSSL>=24.2.1,<99",
        }.items():
            problem = self.assertRaises(Unattainable, check_supported, read(text), self.NEEDED)
            self.assertEqual(
                str(problem), f"{text} is older than tlsdemo supports, which needs {least}"
            )

    def test_is_the_oldest_version_and_all_that_is_newer(self) -> None:
        for text in ("twisted==24.7", "twisted==24.7.0", "twisted==24.10", "twisted==99"):
            check_supported(read(text), self.NEEDED)

    def test_is_for_pip_to_say_where_no_version_is_pinned(self) -> None:
        for text in ("twisted", "twisted<22", "rich==1", "attrs==1", "twisted@https://example.org"):
            check_supported(read(text), self.NEEDED)


class TheKey(SynchronousTestCase):
    ASKED = read("twisted==24.7.0 pyopenssl==24.2.1")

    def test_can_be_read(self) -> None:
        found = key(self.ASKED, "3.12.1")
        self.assertRegex(found, r"^pyopenssl-24.2.1_twisted-24.7.0_python-3.12_[0-9a-f]{8}$")

    def test_is_the_same_for_the_same(self) -> None:
        again = read("pyOpenSSL == 24.2.1 Twisted==24.7.0")
        self.assertEqual(key(again, "3.12.1", "x"), key(self.ASKED, "3.12.1", "x"))

    def test_differs_with_all_that_decides(self) -> None:
        keys = {
            key(self.ASKED, "3.12.1"),
            key(self.ASKED, "3.12.2"),
            key(self.ASKED, "3.12.1", "needed"),
            key(self.ASKED[1:], "3.12.1"),
            key(read("twisted<=24.7.0"), "3.12.1"),
            key(read("twisted>=24.7.0"), "3.12.1"),
        }
        self.assertEqual(len(keys), 6)

    def test_is_the_name_of_a_folder_whatever_is_asked_for(self) -> None:
        for text in ("twisted@git+https://example.org/../a", "twisted[tls]>=1,!=2,<=3.*", "a" * 99):
            self.assertRegex(key(read(text), "3.12.1"), r"^[a-z][a-z0-9._-]{1,80}$")
