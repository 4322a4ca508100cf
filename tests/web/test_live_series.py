from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.metrics.reading import Reading
from tlsdemo.reporting.snapshot import Snapshot
from tlsdemo.web.live_series import (
    COLUMNS,
    FIGURES,
    MOST_POINTS,
    LiveSeries,
    failure_texts,
    quantile,
)

BOUNDS = (0.01, 0.1, 1.0)


def reading(at: float, *handshakes: int, **counters: Any) -> Reading:
    return Reading(Snapshot(at=at, **counters), {"open": 3}, handshakes)


class LiveSeriesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.series = LiveSeries("pair", BOUNDS)

    def point(self) -> dict[str, float]:
        assert self.series.point is not None
        return dict(zip(COLUMNS, self.series.point, strict=True))

    def test_has_no_point_before_the_second_reading(self) -> None:
        self.assertIsNone(self.series.point)
        self.series.add(reading(10.0))
        self.assertIsNone(self.series.point)
        self.assertEqual(self.series.history(), {name: [] for name in COLUMNS})

    def test_a_point_has_the_states_and_the_increase_a_second(self) -> None:
        self.series.add(reading(10.0, secured=5, bytes_in=1000))
        more = {"failed": {"idle": 1}, "events": 4, "lag": 0.0125}
        self.series.add(reading(12.0, secured=15, bytes_in=3000, **more))
        point = self.point()
        self.assertEqual((point["at"], point["open"], point["negotiating"]), (2.0, 3, 0))
        self.assertEqual((point["handshakes"], point["failures"]), (5.0, 0.5))
        self.assertEqual((point["received"], point["events"]), (1000.0, 2.0))
        self.assertEqual((point["bytes_per_event"], point["lag"]), (500.0, 12.5))

    def test_a_reading_of_the_same_moment_is_ignored(self) -> None:
        for _ in range(3):
            self.series.add(reading(10.0))
        self.assertIsNone(self.series.point)

    def test_keeps_a_number_of_points(self) -> None:
        for at in range(MOST_POINTS + 10):
            self.series.add(reading(float(at)))
        self.assertEqual(len(self.series.history()["at"]), MOST_POINTS)
        self.assertEqual(self.series.history()["at"][-1], MOST_POINTS + 9)

    def test_has_a_text_for_every_figure_at_any_time(self) -> None:
        expected = {name for labels in FIGURES.values() for name in labels}
        for each in (reading(1.0), reading(2.0, 1, 0, 0, 9)):
            self.assertEqual(set(self.series.texts()), expected)
            self.series.add(each)
        self.assertEqual(set(self.series.texts()), expected)

    def test_tells_how_long_handshakes_took(self) -> None:
        self.series.add(reading(1.0, 6, 3, 0, 0))
        texts = self.series.texts()
        self.assertEqual((texts["median"], texts["slowest"]), ("10.0 ms", "100.0 ms"))
        self.series.add(reading(2.0, 1, 0, 0, 9))
        self.assertEqual(self.series.texts()["median"], "over 1.0 s")

    def test_names_the_server_of_a_failure_if_there_are_several(self) -> None:
        self.assertEqual(failure_texts([self.series]), ["none so far"])
        self.series.add(reading(1.0, failed={"idle": 1200}))
        self.assertEqual(failure_texts([self.series]), ["idle: 1,200"])
        both = failure_texts([self.series, LiveSeries("starttls", BOUNDS)])
        self.assertEqual(both, ["pair, idle: 1,200"])


class Quantiles(SynchronousTestCase):
    def test_are_the_bound_that_a_part_is_within(self) -> None:
        self.assertEqual(quantile(BOUNDS, [5, 4, 1, 0], 0.5), 0.01)
        self.assertEqual(quantile(BOUNDS, [5, 4, 1, 0], 0.51), 0.1)
        self.assertEqual(quantile(BOUNDS, [0, 0, 0, 1], 0.5), float("inf"))

    def test_of_nothing_are_none(self) -> None:
        self.assertIsNone(quantile(BOUNDS, [0, 0, 0, 0], 0.5))
        self.assertIsNone(quantile(BOUNDS, [], 0.5))


class Readings(SynchronousTestCase):
    def test_come_back_from_json(self) -> None:
        first = reading(1.5, 1, 2, failed={"idle": 1})
        again = Reading.from_json(first.as_json())
        self.assertEqual((again.snapshot, again.states), (first.snapshot, first.states))
        self.assertEqual(list(again.handshakes), [1, 2])

    def test_that_are_none_are_refused(self) -> None:
        good = reading(1.0).as_json()
        for name in good:
            for bad in (None, 7, "x", {"open": "x"}, ["x"]):
                self.assertRaises((ValueError, TypeError), Reading.from_json, {**good, name: bad})
            missing = {key: value for key, value in good.items() if key != name}
            self.assertRaises(KeyError, Reading.from_json, missing)
