"""The findings as programs that run without tlsdemo: plain Twisted, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tlsdemo.lab.findings.finding import AffectedVersions, Finding
from tlsdemo.lab.findings.self_contained import Name, SelfContained

_SUPPORT = "tlsdemo.lab.findings.standalone_support"
_RUN = "tlsdemo.lab.findings.standalone_run"
_FINDING = "tlsdemo.lab.findings.finding"

_INSTEAD: dict[Name, Name] = {
    ("tlsdemo.certificates.demo_ca", "DemoCertificates"): (_SUPPORT, "DemoCertificates"),
    ("tlsdemo.certificates.files", "Credentials"): (_SUPPORT, "Credentials"),
    ("tlsdemo.net.child_process", "environment"): (_SUPPORT, "environment"),
}

_MODULE = '''\
"""What is surprising about TLS in Twisted.

Each test fails with StillSo as long as the behaviour that it is about is observed.  With versions
that are known to be affected that is expected (todo); once it is fixed, trial reports an unexpected
success.  The tests need Twisted with its extra "tls", and only the loopback interface.

Run it with: python -m twisted.trial {name}

Written by "tlsdemo findings".
"""

from __future__ import annotations

{imports}


{definitions}

{tests}'''


def standalone_tests(themes: Mapping[str, Sequence[Finding]], name: str) -> str:
    """Return the source of a trial module.

    Args:
        themes: The findings by theme; each theme becomes a TestCase.
        name: The name of the module.
    """
    reproductions = {
        finding.name: (finding.reproduce.__module__, finding.reproduce.__name__)
        for findings in themes.values()
        for finding in findings
    }
    wanted = [(_SUPPORT, "ReproductionCase"), (_SUPPORT, "about"), *reproductions.values()]
    code = SelfContained([(_FINDING, "AffectedVersions"), *wanted], _INSTEAD, ["reproduce"])
    cases = [
        "\n".join([
            f"class {theme.title().replace(' ', '')}Tests(ReproductionCase):",
            f'    """{theme}."""',
            *(_test(each, code.name_of(reproductions[each.name])) for each in findings),
        ])
        for theme, findings in themes.items()
    ]  # fmt: skip
    return _MODULE.format(
        name=name,
        imports=code.imports,
        definitions=code.text,
        tests="\n\n\n".join(cases) + "\n",
    )


def standalone_program(finding: Finding) -> tuple[str, str]:
    """Return the code that is particular to ``finding``, and everything around it.

    The second text is a program whose last part is the first one.
    """
    reproduction = (finding.reproduce.__module__, finding.reproduce.__name__)
    code = SelfContained([(_RUN, "run"), reproduction], _INSTEAD, bare=True)
    own = code.text_of([reproduction[0]])
    last = f'if __name__ == "__main__":\n    run({code.name_of(reproduction)})\n'
    parts = [
        f'"""{finding.title}"""',
        "from __future__ import annotations",
        code.imports,
    ]
    around = code.text_without([reproduction[0]])
    return own, "\n\n".join(parts) + f"\n\n\n{around}\n\n{own}\n\n{last}"


def _test(finding: Finding, reproduction: str) -> str:
    return f'''
    @about(
        {_quoted(finding.title)},
        {_affected(finding.affected)},
        timeout={finding.bound:g},
    )
    def test_{finding.name.replace("-", "_")}(self) -> Deferred[None]:
        """{finding.title}"""
        return self.reproduce({reproduction})'''


def _affected(affected: AffectedVersions) -> str:
    given = {"library": affected.library, "since": affected.since, "until": affected.until}
    default = {"library": AffectedVersions.library, "since": "", "until": ""}
    named = [f"{key}={_quoted(value)}" for key, value in given.items() if value != default[key]]
    if affected.beside is not None:
        named.append(f"beside={_affected(affected.beside)}")
    return f"AffectedVersions({', '.join(named)})"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
