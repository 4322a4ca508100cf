"""PURE.  The page of what neighbouring releases changed, from the data of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tlsdemo.gate.changes import Change
from tlsdemo.gate.further_reading import NEWS
from tlsdemo.gate.history import explained_rows, row

_TITLES = {"twisted": "Twisted", "pyopenssl": "pyOpenSSL", "cryptography": "cryptography"}

_HEAD = """\
# What releases changed

What an application that uses TLS with Twisted notices of a release, said by [the gate](gate.md)
between each of the last releases and the one before it. `make history` finds the releases in the
package index, installs what fits together, runs the gate, and writes this page and
[gate-history.json](gate-history.json), which has every connection; `make docs` only writes the page
from it.
"""


def page(data: Mapping[str, Any]) -> str:
    """Return the page for the data of ``python -m bench.releases``."""
    lines = [_HEAD, f"Compared {data['date']} with Python {data['python']}, in these parts of the "
             f"gate: {', '.join(data['parts'])}."]  # fmt: skip
    for package in dict.fromkeys(each["package"] for each in data["steps"]):
        lines += ["", f"## {_TITLES.get(package, package)}", ""]
        lines += ["| release | beside | what changed | connections | it was | it is | read on |",
                  "|---|---|---|---|---|---|---|"]  # fmt: skip
        for step in data["steps"]:
            if step["package"] == package:
                lines += _rows(step)
    lines += [
        "",
        "The connections are those of the gate with the same change or the same explanation. "
        "*Beside* has the other versions; an arrow if they could not stay the same, as with "
        "OpenSSL, which is in cryptography's wheels.",
    ]
    return "\n".join(lines) + "\n"


def _rows(step: Mapping[str, Any]) -> Iterator[str]:
    name = f"{step['older']} → {step['newer']}"
    if step["problem"]:
        yield row(name, "", f"not compared: {step['problem']}", "", "", "", "")
        return
    here, there = step["versions"]["here"], step["versions"]["there"]
    beside = ", ".join(
        _version(each, here[each], there[each])
        for each in here
        if each.lower() not in (step["package"], "python")
    )
    changes = [_change(each) for each in step["changes"]]
    told = [each for each in changes if not each.problem]
    news = ", ".join(
        f"[{each}]({NEWS[each]})" for each in NEWS if here.get(each) != there.get(each)
    )
    if not changes:
        yield row(name, beside, "nothing", "", "", "", news)
    for what, cells, old, new in explained_rows(told):
        yield row(name, beside, what, cells, old, new, news)
    for each in changes:
        if each.problem:
            what = f"no verdict on [{each.what}](findings.md#{each.what}): {each.problem}"
            yield row(name, beside, what, "", each.baseline, each.candidate, news)


def _version(name: str, old: str, new: str) -> str:
    old, new = (text.removeprefix(f"{name} ") for text in (old, new))
    return f"{name} {old}" if old == new else f"{name} {old} → {new}"


def _change(fields: Mapping[str, Any]) -> Change:
    return Change(
        fields["part"], fields["what"], fields["baseline"], fields["candidate"],
        tuple(fields["cells"]), problem=fields["problem"],
    )  # fmt: skip
