"""The requirements in ``--against``, and the name of an environment that satisfies them.

A requirement is written as for pip (PEP 508): a name, optional extras, and version specifiers or a
URL, as in ``twisted==24.7.0`` or ``twisted@git+https://github.com/twisted/twisted``.  Environment
markers are not supported.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tlsdemo.lab.compare.comparison_error import ComparisonError

_OPERATOR = re.compile(r"\s*(===|==|~=|!=|<=|>=|<|>|,|@)\s*")
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_EXTRAS = r"(?:\[[A-Za-z0-9._, -]*\])?"
_SPECIFIER = r"(?:===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9.!+*_-]+"
_REQUIREMENT = re.compile(
    rf"(?P<name>{_NAME}){_EXTRAS}"
    rf"(?:(?P<specifiers>{_SPECIFIER}(?:,{_SPECIFIER})*)|@(?P<address>[A-Za-z][A-Za-z+]*:\S+))?"
)
_FIXED_ADDRESS = re.compile(r"#state=|@[0-9a-f]{40}$|\.(?:whl|zip|tar\.gz)$")
_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_NOT_IN_A_KEY = re.compile(r"[^A-Za-z0-9.]+")


@dataclass(frozen=True)
class Requirement:
    """A requirement: its ``text`` for pip, and the normalized ``name`` of the package."""

    text: str
    name: str

    @property
    def specifiers(self) -> list[tuple[str, str]]:
        """The version specifiers, as pairs of operator and version; none for a URL."""
        match = _REQUIREMENT.fullmatch(self.text)
        found = (match and match["specifiers"]) or ""
        pairs = [re.fullmatch(r"([=~!<>]+)(.+)", each) for each in found.split(",")]
        return [(pair[1], pair[2]) for pair in pairs if pair is not None]

    @property
    def is_fixed(self) -> bool:
        """Whether it always means the same: a version, a commit, or the state of a folder."""
        match = _REQUIREMENT.fullmatch(self.text)
        address = (match and match["address"]) or ""
        return bool(_FIXED_ADDRESS.search(address)) or any(
            operator in ("==", "===") and "*" not in version
            for operator, version in self.specifiers
        )


def normalized(name: str) -> str:
    """Return the normalized name of a package (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def parse_requirements(text: str) -> list[Requirement]:
    """Return the requirements in ``text``, which are separated by spaces, sorted by name.

    Raises:
        ComparisonError: If one is invalid, if a package is named twice, or if there are none.
    """
    found = [_requirement(each) for each in _OPERATOR.sub(r"\1", text).split()]
    if not found:
        raise ComparisonError("it names no package; give one as in 'twisted==24.7.0'")
    names = [each.name for each in found]
    for name in names:
        if names.count(name) > 1:
            raise ComparisonError(f"it names {name} more than once")
    return sorted(found, key=lambda each: each.name)


def _requirement(text: str) -> Requirement:
    match = _REQUIREMENT.fullmatch(text)
    # The pattern excludes a leading dash, which pip would interpret as an option.
    if match is None:
        raise ComparisonError(f"{text!r} is not a requirement such as twisted==24.7.0")
    if normalized(match["name"]) == "tlsdemo":
        raise ComparisonError(
            f"{text!r} is not possible: the running tlsdemo is used in all environments"
        )
    return Requirement(text, normalized(match["name"]))


def check_supported(requested: Iterable[Requirement], dependencies: Iterable[Requirement]) -> None:
    """Raise ComparisonError if a requested version is older than tlsdemo's ``dependencies`` allow.

    Only a pinned version can be checked here; everything else is left to pip.
    """
    oldest = {
        each.name: (version, each)
        for each in dependencies
        for operator, version in each.specifiers
        if operator == ">="
    }
    for each in requested:
        lowest = oldest.get(each.name)
        pins = [version for operator, version in each.specifiers if operator == "=="]
        if lowest is not None and pins and _release(pins[0]) < _release(lowest[0]):
            raise ComparisonError(
                f"{each.text} is older than tlsdemo supports, which needs {lowest[1].text}"
            )


def _release(version: str) -> tuple[int, ...]:
    # 24.7 and 24.7.0 are the same version.
    match = _RELEASE.match(version)
    numbers = [int(each) for each in match[0].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def environment_key(requested: Sequence[Requirement], python: str, *others: str) -> str:
    """Return the folder name of an environment with these requirements and this Python version.

    It is readable, and ends in a hash of the requirements, the version, and ``others``.
    """
    texts = [each.text.lower() for each in requested]
    readable = [_NOT_IN_A_KEY.sub("-", text).strip("-.")[:40] for text in texts]
    everything = "\n".join([*texts, python, *others])
    digest = hashlib.sha256(everything.encode()).hexdigest()[:8]
    minor = ".".join(python.split(".")[:2])
    return "_".join([*readable, f"python-{minor}", digest])
