"""The small pure parts of the benchmark."""

from __future__ import annotations

import platform
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from bench.affinity import ALL, Affinity
from bench.child import NotInstalled
from bench.environment import environment, processor, versions_lines
from bench.measures.floors import arithmetic
from bench.measures.records import records_each
from bench.peers.programs import module_path, versions_in
from bench.plan import FULL, QUICK

SPEED = """
                              sign    verify    sign/s verify/s
 256 bits ecdsa (nistp256)   0.0000s   0.0001s  50000.0  10000.0
                              op      op/s
 253 bits ecdh (X25519)   0.0000s  20000.0
"""


class AffinityTests(SynchronousTestCase):
    def test_the_peer_has_one_processor_and_the_load_the_others(self) -> None:
        self.assertEqual(Affinity.of({0, 1, 2}), Affinity("2", "0,1"))

    def test_a_single_processor_is_shared(self) -> None:
        self.assertEqual(Affinity.of({3}), Affinity(ALL, ALL))


class FloorTests(SynchronousTestCase):
    def test_a_handshake_signs_once_verifies_twice_and_uses_its_group_twice(
        self,
    ) -> None:
        self.assertAlmostEqual(arithmetic(SPEED) * 1e6, 20 + 2 * 100 + 2 * 50)

    def test_other_output_is_said_to_be_that(self) -> None:
        self.assertRaises(NotInstalled, arithmetic, "speed: Unknown algorithm ecdhx25519")


class RecordsTests(SynchronousTestCase):
    def test_every_case_stays_within_its_bytes(self) -> None:
        for plan in (FULL, QUICK):
            for connections in plan.record_connections:
                for size in plan.record_sizes:
                    each = records_each(plan, connections, size)
                    self.assertGreaterEqual(each, 1)
                    self.assertLessEqual(each * connections * size, plan.most_bytes)

    def test_many_connections_carry_several_reads_each(self) -> None:
        self.assertEqual(records_each(FULL, 2000, 32), FULL.records_each)


class VersionsTests(SynchronousTestCase):
    def test_the_library_in_use_counts_and_not_that_of_the_build(self) -> None:
        for name, text in (
            (
                "nginx",
                "nginx version: nginx/1.22.1\n"
                "built with OpenSSL 3.0.22 25 Aug 2026 (running with OpenSSL 3.0.19 27 Jan 2026)",
            ),
            (
                "haproxy",
                "HAProxy version 2.6.12-1+deb12u4 2026/10/17\n"
                "Built with OpenSSL version : OpenSSL 3.0.22 25 Aug 2026\n"
                "Running on OpenSSL version : OpenSSL 3.0.19 27 Jan 2026",
            ),
            (
                "stunnel",
                "stunnel 5.68 on x86_64-pc-linux-gnu platform\n"
                "Compiled with OpenSSL 3.0.9 30 May 2023\nRunning  with OpenSSL 3.0.19 27 Jan 2026",
            ),
        ):
            found = versions_in(name, text)
            self.assertEqual(found["OpenSSL"], "3.0.19", name)
            self.assertRegex(found[name], r"^\d+\.\d+", name)

    def test_a_build_that_runs_with_its_own_library_says_so_once(self) -> None:
        found = versions_in("nginx", "nginx version: nginx/1.28.0\nbuilt with OpenSSL 3.5.1 1 Jul")
        self.assertEqual(found, {"nginx": "1.28.0", "OpenSSL": "3.5.1"})

    def test_peers_with_the_same_versions_share_a_line(self) -> None:
        lines = versions_lines({"a": {"OpenSSL": "4"}, "b": {"OpenSSL": "4"}, "c": {"x": "1"}})
        self.assertEqual(lines, ["a, b: OpenSSL 4", "c: x 1"])

    def test_a_dynamic_stream_module_has_a_path(self) -> None:
        build = "--modules-path=/usr/lib/nginx/modules --with-stream=dynamic"
        self.assertEqual(module_path(build), Path("/usr/lib/nginx/modules/ngx_stream_module.so"))
        self.assertIsNone(module_path("--modules-path=/usr/lib/nginx/modules --with-stream"))


class EnvironmentTests(SynchronousTestCase):
    def test_it_names_no_host(self) -> None:
        self.assertNotIn(platform.node(), map(str, environment().values()))

    def test_the_processor_is_named(self) -> None:
        self.assertEqual(processor("processor\t: 0\nmodel name\t: A Processor\n"), "A Processor")
