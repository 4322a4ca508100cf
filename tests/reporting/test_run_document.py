from __future__ import annotations

import json
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import run, window
from tests.reporting.test_probe_result import probed
from tlsdemo.reporting.latencies import Latencies
from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.run_document import NotADocument, Side, histogram, sides


def document(*runs: dict[str, Any], **more: Any) -> Any:
    return json.loads(json.dumps({"schema": 1, "runs": list(runs), **more}))


class Documents(SynchronousTestCase):
    def one(self, *windows: Any, **changes: Any) -> Side:
        (side,) = sides("a.json", document(run(windows, **changes).as_json()))
        return side

    def test_have_the_figures_of_a_run(self) -> None:
        (measured,) = self.one(window(count=1000)).runs
        self.assertEqual(
            [*measured.figures],
            ["messages/s", "handshakes/s", "p50(handshake)", "p99(handshake)", "p50(round-trip)",
             "p99(round-trip)"],
        )  # fmt: skip
        self.assertEqual(measured.figures["messages/s"], 100.0)
        self.assertEqual((measured.failed, measured.problem), (5, None))

    def test_have_no_percentile_of_too_few_values(self) -> None:
        (measured,) = self.one(window(count=100), opening=None).runs
        self.assertIn("p50(handshake)", measured.figures)
        self.assertNotIn("p99(handshake)", measured.figures)

    def test_have_what_a_probe_measured_if_that_is_enough(self) -> None:
        def figures(probe: ProbeResult | None) -> list[str]:
            (measured,) = self.one(probe=probe).runs
            return [name for name in measured.figures if name.endswith("(probe)")]

        self.assertEqual(figures(probed(500)), ["p50(probe)", "p99(probe)"])
        self.assertEqual(figures(probed(400)), ["p50(probe)"])
        self.assertEqual(figures(probed(500, unanswered=400)), ["p50(probe)"])
        self.assertEqual(figures(None), [])

    def test_have_the_handshakes_before_the_load_if_there_are_none_in_it(self) -> None:
        silent = window(latencies=Latencies())
        (measured,) = self.one(silent).runs
        # 497 were secured in half a second.
        self.assertEqual(measured.figures["handshakes/s"], 994.0)
        self.assertIn("p50(handshake)", measured.figures)

    def test_tell_windows_apart_by_their_rates(self) -> None:
        (measured,) = self.one(window(1, 50.0), window(2, 70.0)).runs
        self.assertIn("50/s messages/s", measured.figures)
        self.assertIn("70/s p99(handshake)", measured.figures)

    def test_keep_what_was_measured_twice_at_a_rate(self) -> None:
        (measured,) = self.one(window(1, 1e6 + 1), window(2, 1e6 + 2), window(3, 1e6 + 2)).runs
        rates = [name for name in measured.figures if name.endswith("messages/s")]
        self.assertEqual(
            rates, [f"{label}/s messages/s" for label in ("1000001", "1000002", "3. 1000002")]
        )

    def test_have_the_handshakes_of_the_load_if_there_are_any(self) -> None:
        (measured,) = self.one(window(count=700)).runs
        self.assertEqual(measured.figures["handshakes/s"], 70.0)

    def test_of_a_search_without_a_result_have_no_windows(self) -> None:
        (measured,) = self.one(window(1, 50.0), found=0.0, opening=None).runs
        self.assertEqual(measured.figures, {})

    def test_of_a_search_have_its_result_only(self) -> None:
        (measured,) = self.one(window(1, 50.0), found=80.0, opening=None).runs
        self.assertEqual(measured.figures, {"greatest-rate": 80.0})

    def test_have_a_side_for_each_server_or_mode(self) -> None:
        found = run().as_json()
        runs = [{**found, "target": target} for target in ("tcp:a", "tcp:b", "tcp:b", "tcp:a")]
        found_sides = sides("v.json", document(*runs))
        counts = {each.name: len(each.runs) for each in found_sides}
        self.assertEqual(counts, {"tcp:a": 2, "tcp:b": 2})
        modes = sides("m.json", document({**found, "mode": "pair"}, {**found, "mode": "starttls"}))
        self.assertEqual([each.name for each in modes], ["pair", "starttls"])

    def test_find_the_histogram_of_a_figure(self) -> None:
        (measured,) = self.one(window(1, 50.0), window(2, 70.0)).runs
        found = histogram(measured, "70/s p99(round-trip)")
        assert found is not None
        self.assertEqual((found[0].get_total_count(), found[1]), (500, 99.0))
        for name in ("handshakes/s", "50/s messages/s", "p99(handshake)"):
            self.assertIsNone(histogram(measured, name), name)

    def test_that_are_none_say_why(self) -> None:
        for bad, problem in (
            ([], "it has no list of runs"),
            ({"runs": 5}, "it has no list of runs"),
            ({"runs": []}, "it has no runs"),
            ({"schema": 7, "runs": [{}]}, "its schema is 7, and 1 is understood"),
            ({"runs": [{}]}, "a run is not as tlsdemo writes it: KeyError('mode')"),
            ({"runs": [5]}, "a run is not as tlsdemo writes it: AttributeError"),
            ({"runs": [{"mode": "a", "windows": 5}]}, "a run is not as tlsdemo writes it: TypeE"),
        ):
            message = str(self.assertRaises(NotADocument, sides, "a.json", bad))
            self.assertTrue(message.startswith(problem), message)
