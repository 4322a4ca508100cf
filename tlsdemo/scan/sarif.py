"""PURE.  What was found as SARIF 2.1.0 (OASIS), which GitHub and editors show beside the code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from tlsdemo import __version__
from tlsdemo.scan.rule import Rule
from tlsdemo.scan.scanner import Hit


def sarif(hits: Iterable[Hit], rules: Mapping[str, Rule], problems: Iterable[str]) -> Any:
    """Return the document, to be written as JSON; ``problems`` are of files that were not read."""
    order = {name: index for index, name in enumerate(rules)}
    notes = [{"level": "error", "message": {"text": each}} for each in problems]
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "tlsdemo",
                        "version": __version__,
                        "rules": [_rule(each) for each in rules.values()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {"executionSuccessful": not notes, "toolExecutionNotifications": notes}
                ],
                "results": [_result(each, rules[each.rule], order) for each in hits],
            }
        ],
    }


def _rule(rule: Rule) -> Any:
    shown = f" Shown by: tlsdemo findings {rule.finding}" if rule.finding else ""
    return {
        "id": rule.name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"{rule.cure}{shown}"},
        "defaultConfiguration": {"level": "warning"},
    }


def _result(hit: Hit, rule: Rule, order: Mapping[str, int]) -> Any:
    return {
        "ruleId": hit.rule,
        "ruleIndex": order[hit.rule],
        "level": "warning",
        "message": {"text": f"{hit.what}. {rule.why} {rule.cure}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(hit.path)},
                    "region": {"startLine": hit.line, "startColumn": hit.column},
                }
            }
        ],
    }


def _uri(path: str) -> str:
    prefix = "file://" if path.startswith("/") else ""
    return prefix + quote(path.encode("utf-8", "surrogateescape"))
