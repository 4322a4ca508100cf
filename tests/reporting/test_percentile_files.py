from __future__ import annotations

import re

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.load_results import run, window
from tlsdemo.reporting.latencies import HANDSHAKE, Latencies
from tlsdemo.reporting.percentile_files import distribution_files


class DistributionFiles(SynchronousTestCase):
    def test_are_one_for_each_latency_before_the_load_and_in_it(self) -> None:
        names = [name for name, _ in distribution_files(run())]
        self.assertEqual(
            names, ["opening.handshake", "opening.round-trip", "handshake", "round-trip"]
        )

    def test_have_the_number_of_their_window_if_there_are_several(self) -> None:
        result = run([window(1, count=5), window(2, count=5)], opening=None)
        self.assertEqual(
            [name for name, _ in distribution_files(result)],
            [
                f"window-{number}.{each}"
                for number in (1, 2)
                for each in ("handshake", "round-trip")
            ],
        )

    def test_have_the_values_in_milliseconds_in_the_format_of_the_plotters(self) -> None:
        measured = Latencies()
        for value in (0.001, 0.002, 0.003, 0.004):
            measured.record(HANDSHAKE, value)
        ((_, text),) = distribution_files(run([window(latencies=measured)], opening=None))
        lines = text.decode().splitlines()
        self.assertEqual(
            lines[0].split(), ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        )
        self.assertEqual(lines[2].split(), ["1.000", "0.000000000000", "1", "1.00"])
        self.assertRegex(lines[-4], r"^ +4\.001 1\.0+ +4$")
        found = re.search(r"Mean +=(.*), StdDeviation +=(.*)]", lines[-3])
        assert found is not None
        mean, deviation = (float(each) for each in found.groups())
        self.assertAlmostEqual(mean, 2.5, places=2)
        self.assertAlmostEqual(deviation, 1.118, places=2)

    def test_have_safe_names_whatever_a_server_calls_its_groups(self) -> None:
        measured = Latencies()
        measured.record(f"{HANDSHAKE}/X25519", 0.001)
        measured.record(f"{HANDSHAKE}/../../etc x", 0.001)
        names = [n for n, _ in distribution_files(run([window(latencies=measured)], opening=None))]
        self.assertEqual(names, ["handshake", "handshake-..-..-etc-x", "handshake-X25519"])
