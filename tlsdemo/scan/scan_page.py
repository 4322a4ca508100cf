"""The table of the rules, and their examples, for docs/scan.md.

``python -m tlsdemo.scan.scan_page docs/scan.md`` writes them between two marks of that page.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill

from tlsdemo.scan.rule import Rule
from tlsdemo.scan.rule_catalogue import RULES

BEGIN = "<!-- The rules: written by make docs. -->\n"
END = "<!-- The end of the rules. -->\n"

_WIDTH = 100


def with_rules(page: str) -> str:
    """Return the page with the rules of the catalogue between its marks.

    Raises:
        ValueError: If it does not have each mark once.
    """
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        raise ValueError(f"the page needs a line {BEGIN.strip()!r} and a line {END.strip()!r}")
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + "\n" + _rules() + "\n" + END + rest.partition(END)[2]


def _rules() -> str:
    rows = [f"| [{each.name}](#{each.name}) | {each.title} |" for each in RULES.values()]
    table = ["| rule | what is looked for |", "|---|---|", *rows]
    return "\n".join([*table, *(_section(each) for each in RULES.values())])


def _section(rule: Rule) -> str:
    shown = f"[{rule.finding}](findings.md#{rule.finding})" if rule.finding else "no finding"
    return "\n".join(
        [
            f"\n### {rule.name}\n",
            fill(f"{rule.title} {rule.why}", _WIDTH, break_on_hyphens=False),
            "",
            fill(f"- Cure: {rule.cure}", _WIDTH, subsequent_indent="  ", break_on_hyphens=False),
            f"- Shown by: {shown}",
            "",
            "Found:\n",
            f"```python\n{rule.bad}```\n",
            "Not found:\n",
            f"```python\n{rule.good}```",
        ]
    )


def main(path: str) -> None:
    """Write the rules into the page."""
    page = Path(path)
    page.write_text(with_rules(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
