from __future__ import annotations

from dataclasses import dataclass, field

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.plain_values import BadValues, fields_of, list_of, read_values


@dataclass(frozen=True)
class Thing:
    count: int
    seconds: float
    name: str
    flag: bool = False
    note: str = field(default_factory=str)


GOOD = {"count": 1, "seconds": 2, "name": "a"}


class ReadValues(SynchronousTestCase):
    def test_fields_are_read_and_defaults_kept(self) -> None:
        self.assertEqual(read_values(Thing, GOOD), Thing(1, 2.0, "a"))
        self.assertEqual(read_values(Thing, {**GOOD, "flag": True}), Thing(1, 2.0, "a", True))

    def test_what_does_not_fit_is_refused_with_its_name(self) -> None:
        for values, why in (
            (3, "Thing is not an object, but int"),
            ({**GOOD, "more": 1}, "Thing has no 'more'"),
            ({"count": 1, "name": "a"}, "Thing lacks 'seconds'"),
            ({**GOOD, "count": "1"}, "'count' is '1', not of the type int"),
            ({**GOOD, "count": 1.5}, "'count' is 1.5, not of the type int"),
            ({**GOOD, "count": True}, "'count' is True, not of the type int"),
            ({**GOOD, "flag": 1}, "'flag' is 1, not of the type bool"),
            ({**GOOD, "seconds": float("inf")}, "'seconds' is inf, not of the type float"),
            ({**GOOD, "seconds": -1.0}, "'seconds' is -1.0, below 0"),
        ):
            self.assertEqual(str(self.assertRaises(BadValues, read_values, Thing, values)), why)

    def test_fields_may_be_none_or_have_names(self) -> None:
        kinds = {"rate": "float | None", "failed": "Mapping[str, int]"}
        for rate in (None, 2.5):
            values = {"rate": rate, "failed": {"truncated": 1}}
            self.assertEqual(fields_of({**values, "more": 1}, kinds, "it"), values)
        for changes, why in (
            ({"rate": "x"}, "'rate' is 'x', not of the type float"),
            ({"failed": []}, "'failed' is not an object, but list"),
            ({"failed": {"a": "x"}}, "'failed a' is 'x', not of the type int"),
            ({"failed": {"a": -1}}, "'failed a' is -1, below 0"),
        ):
            bad: dict[str, object] = {**values, **changes}
            problem = self.assertRaises(BadValues, fields_of, bad, kinds, "it")
            self.assertEqual(str(problem), why)
        problem = self.assertRaises(BadValues, fields_of, {"rate": 1}, kinds, "it")
        self.assertEqual(str(problem), "it lacks 'failed'")

    def test_a_list_is_a_list(self) -> None:
        self.assertEqual(list_of([1], "it"), [1])
        problem = self.assertRaises(BadValues, list_of, {}, "it")
        self.assertEqual(str(problem), "it is not a list, but dict")
