"""The benchmarks for Twisted, each run once."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.lab.findings import twisted_benchmarks


class Benchmarks(SynchronousTestCase):
    """Has one test for each benchmark, added below.  They check by themselves what they did."""


def _test_of(name: str) -> Any:
    return lambda case: getattr(twisted_benchmarks, name)(lambda measured: measured())


for _name in dir(twisted_benchmarks):
    if _name.startswith("test_"):
        setattr(Benchmarks, _name, _test_of(_name))
