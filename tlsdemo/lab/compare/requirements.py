"""The packages that ``--against`` names, and the name of an environment that holds them.

A requirement is written as pip takes it (PEP 508): a name, extras if wanted, and version
specifiers or an address, as in ``twisted==24.7.0`` or
``twisted@git+https://github.com/twisted/twisted``.  Markers are not: what is asked for is meant.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tlsdemo.lab.compare.problem import Unattainable

_OPERATOR = re.compile(r"\s*(===|==|~=|!=|<=|>=|<|>|,|@)\s*")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = r"(?:\[[A-Za-z0-9._, -]*\])?"
_SPECIFIER = r"(?:===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9.!+*_-]+"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME}){_EXTRAS}"
    rf"(?:(?P<specifiers>{_SPECIFIER}(?:,{_SPECIFIER})*)|@(?P<address>[A-Za-z][A-Za-z+]*:\S+))?"
)
_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9.]+")


@dataclass(frozen=True)
class Requirement:
    """One package: ``text`` as pip takes it, and the normal form of the package's ``name``."""

    text: str
    name: str

    @property
    def specifiers(self) -> list[tuple[str, str]]:
        """The version specifiers, each as operator and version; none for an address."""
        match = _REQUIREMENT.fullmatch(self.text)
        found = (match and match["specifiers"]) or ""
        pairs = [re.fullmatch(r"([=~!<>]+)(.+)", each) for each in found.split(",")]
        return [(pair[1], pair[2]) for pair in pairs if pair is not None]


def normal(name: str) -> str:
    """Return the one way of writing a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> list[Requirement]:
    """Read requirements that are separated by blanks, in the order of their names.

    Raises Unattainable for what is no requirement, a package that is named twice, or nothing.
    """
    found = [_requirement(each) for each in _OPERATOR.sub(r"\1", text).split()]
    if not found:
        raise Unattainable("it names no package; give one as in 'twisted==24.7.0'")
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise Unattainable(f"it names {name} more than once")
    return sorted(found, key=lambda each: each.name)


def _requirement(text: str) -> Requirement:
    match = _REQUIREMENT.fullmatch(text)
    # The pattern lets nothing begin with a dash, which pip would take for an option.
    if match is None:
        raise Unattainable(f"{text!r} is no requirement such as twisted==24.7.0")
    if normal(match["name"]) == "tlsdemo":
        raise Unattainable(f"{text!r} cannot be chosen: the tlsdemo that runs is used there too")
    return Requirement(text, normal(match["name"]))


def check_supported(asked: Iterable[Requirement], needed: Iterable[Requirement]) -> None:
    """Raise Unattainable if one that is ``asked`` for is older than what tlsdemo has ``needed``.

    Only what can be told for sure is refused here, a version that is pinned to numbers; of all
    else pip knows best.
    """
    least = {
        need.name: (version, need)
        for need in needed
        for operator, version in need.specifiers
        if operator == ">="
    }
    for each in asked:
        lowest = least.get(each.name)
        pins = [version for operator, version in each.specifiers if operator == "=="]
        if lowest is not None and pins and _release(pins[0]) < _release(lowest[0]):
            raise Unattainable(
                f"{each.text} is older than tlsdemo supports, which needs {lowest[1].text}"
            )


def _release(version: str) -> tuple[int, ...]:
    # 24.7 and 24.7.0 are the same, and nothing older than either.
    match = _RELEASE.match(version)
    numbers = [int(each) for each in match[0].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def key(asked: Sequence[Requirement], python: str, *others: str) -> str:
    """Return the name of the folder for ``asked`` under a Python of the version ``python``.

    It can be read, and ends in digits that differ whenever one of ``others`` does.
    """
    texts = [each.text.lower() for each in asked]
    readable = [_NOT_IN_A_KEY.sub("-", text).strip("-.")[:40] for text in texts]
    everything = "\n".join([*texts, python, *others])
    digest = hashlib.sha256(everything.encode()).hexdigest()[:8]
    minor = ".".join(python.split(".")[:2])
    return "_".join([*readable, f"python-{minor}", digest])
