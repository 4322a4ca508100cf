from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from twisted.internet.defer import Deferred, succeed

from tests.cli.comparison_case import (
    INTERRUPTED,
    ComparisonCase,
    FakeProbe,
    latencies,
    result,
)
from tests.reporting.load_results import run, window
from tests.support import certificates
from tlsdemo.cli.launched_server import CannotLaunch
from tlsdemo.cli.main import main
from tlsdemo.reporting.latencies import ROUND_TRIP
from tlsdemo.reporting.load_counters import LoadCounters
from tlsdemo.reporting.probe_result import ProbeResult
from tlsdemo.reporting.run_result import RunResult
from tlsdemo.tls import Delivery


class Comparing(ComparisonCase):
    def test_each_mode_has_its_own_server_one_after_the_other(self) -> None:
        self.assertEqual(self.run_("--mode=pair", "--mode=clear"), 0)
        self.assertEqual([load.name for load in self.loads], ["pair", "clear"])
        self.assertEqual([server.arguments[0] for server in self.servers],
                         ["--mode=pair", "--mode=clear"])  # fmt: skip
        for server in self.servers:
            self.assertEqual(server.log, ["made", "start", "started", "stop"])
        self.assertTrue(self.reactor.hasStopped)

    def test_the_server_has_the_certificates_of_the_options(self) -> None:
        self.run_("--mode=pair", "--delivery=readable")
        server = certificates().server
        self.assertEqual(
            self.servers[0].arguments,
            [
                "--mode=pair",
                f"--cert={server.certificate}",
                f"--key={server.key}",
                f"--ca={server.authority}",
                *("--tls-min=1.2", "--tls-max=1.3", "--ciphers=ECDHE+AESGCM:ECDHE+CHACHA20"),
                f"--certs={certificates().authority.parent.parent}",
                "--dialect=immediate",
                "--idle-timeout=0",
                f"--delivery={Delivery.READABLE.value}",
            ],
        )

    def test_the_load_has_the_values_of_the_options(self) -> None:
        self.run_("--mode=pair", "--duration=3", "--packet-size=7")
        (load,) = self.loads
        self.assertEqual(load.task.connect, self.servers[0].connect)
        self.assertEqual((load.task.connections, load.task.packet_size), (2, 7))
        self.assertEqual((load.workers, load.duration, load.status), (1, 3.0, "unix:status"))
        self.assertEqual(load.task.server_name, "127.0.0.1")

    def test_each_server_has_a_probe_unless_its_rate_is_0(self) -> None:
        self.run_("--mode=pair", "--mode=clear", "--probe-rate=7")
        probes = [FakeProbe(server.connect, 7.0) for server in self.servers]
        self.assertEqual([load.probe for load in self.loads], probes)
        self.loads.clear()
        self.run_("--mode=pair", "--probe-rate=0")
        self.assertEqual([load.probe for load in self.loads], [None])

    def test_clients_have_their_own_mode_except_with_a_server_in_mode_clear(self) -> None:
        self.run_("--mode=starttls", "--mode=clear", "--client-mode=wrapped")
        self.assertEqual([load.task.mode for load in self.loads], ["wrapped", "clear"])

    def test_clients_use_starttls_by_default(self) -> None:
        self.run_("--mode=pair")
        self.assertEqual(self.loads[0].task.mode, "starttls")

    def test_it_shows_progress_results_and_the_modes_side_by_side(self) -> None:
        self.run_("--mode=pair", "--mode=clear")
        text = self.printed.getvalue()
        self.assertIn("pair (1 of 2): sending for 10 s\n", self.progress.getvalue())
        self.assertNotIn("sending", text)
        self.assertIn("clear: run clear: sent 100, received 100, lost 0 bytes", text)
        self.assertIn("2 connections, packets of 32 B", text)
        (head,) = [line for line in text.splitlines() if "pair" in line and "clear" in line]
        self.assertLess(head.index("pair"), head.index("clear"))

    def test_the_results_are_written_as_json(self) -> None:
        path = Path(self.mktemp())
        self.run_("--mode=pair", "--mode=clear", f"--json={path}")
        written = json.loads(path.read_text())
        self.assertEqual(written["runs"], [result("pair").as_json(), result("clear").as_json()])
        self.assertIn("Twisted", written["versions"])

    def test_the_results_are_written_as_a_page(self) -> None:
        path = Path(self.mktemp())
        measured = {mode: run(name=mode) for mode in ("pair", "clear")}
        self.going = lambda name: succeed(measured[name])
        self.run_("--mode=pair", "--mode=clear", "--check=failed==0", f"--html={path}")
        page = path.read_text(encoding="utf-8")
        for text in (
            "<p>2 connections, packets of 32 B</p>",
            "<h3>pair</h3>",
            "<h3>clear</h3>",
            "pair: check failed==0",
            "clear: check failed==0",
        ):
            self.assertTrue(text in page, text)


class Repeated(ComparisonCase):
    def setUp(self) -> None:
        super().setUp()
        # Each run of pair is a tenth faster than that of starttls beside it.
        speeds = iter([1.0, 1.1, 1.21, 1.1, 1.2, 1.32])
        self.going = lambda name: succeed(
            replace(
                result(name, lost=name == "pair" and self.lost),
                sending=1 / next(speeds),
                unit="packets",
            )
        )
        self.lost = 0

    def test_the_modes_take_turns(self) -> None:
        self.assertEqual(self.run_("--repeat=3"), 0)
        self.assertEqual(
            [load.name for load in self.loads],
            ["starttls", "pair", "pair", "starttls", "starttls", "pair"],
        )
        self.assertIn("pair (3 of 6): sending", self.progress.getvalue())

    def test_the_others_are_compared_with_the_first(self) -> None:
        self.run_("--repeat=3")
        text = self.printed.getvalue()
        self.assertIn("pair, 2 of 3: server CPU unknown", text)
        self.assertIn("32 B:\npair (3 runs) beside starttls (3 runs):\n", text)
        self.assertRegex(text, r"\bMB/s .* \+10\.0% \(\+10\.0% to \+10\.0%\) +better")
        self.assertNotIn("lost bytes", text)

    def test_a_run_that_lost_bytes_is_shown_in_full_and_fails(self) -> None:
        self.lost = 3
        self.assertEqual(self.run_("--repeat=3"), 1)
        self.assertIn(
            "pair, 3 of 3: run pair: sent 100, received 97, lost 3", self.printed.getvalue()
        )

    def test_tlsdemo_compare_reads_the_results(self) -> None:
        path = self.mktemp()
        self.run_("--repeat=3", f"--json={path}")
        output = io.StringIO()
        self.patch(sys, "stdout", output)
        self.assertEqual(main(["compare", "--fail-if=MB/s<-5%", path]), 0)
        self.assertRegex(output.getvalue(), r"\bMB/s .* \+10\.0% \(\+10\.0% to \+10\.0%\) +better")

    def test_verdicts_and_the_page_say_of_which_run_they_are(self) -> None:
        path = Path(self.mktemp())
        self.going = lambda name: succeed(run(name=name))
        self.run_("--repeat=2", "--check=failed==5", f"--html={path}")
        page, text = path.read_text(encoding="utf-8"), self.printed.getvalue()
        for title in ("starttls run 1", "starttls run 2", "pair run 1", "pair run 2"):
            self.assertTrue(f"<h3>{title}</h3>" in page, title)
            self.assertIn(f"{title}: check failed==5", text)
        self.assertTrue("<h3>pair (2 runs) beside starttls (2 runs)</h3>" in page)


class Checks(ComparisonCase):
    def test_the_probe_can_be_checked(self) -> None:
        probe = ProbeResult(50.0, latencies(ROUND_TRIP))
        self.going = lambda name: succeed(replace(result(name), windows=(window(),), probe=probe))
        self.assertEqual(self.run_("--mode=pair", "--check=p99(probe)<5ms"), 0)
        self.assertIn("pair: check p99(probe)<5ms: yes, 1.00 ms\n", self.printed.getvalue())
        self.assertEqual(self.run_("--mode=pair", "--check=p99(probe)<500us"), 1)

    def test_of_a_search_that_has_not_ended_nothing_holds(self) -> None:
        self.going = lambda name: succeed(replace(result(name), windows=(window(),)))
        search = ("--scenario=churn", "--find-max", "--slo=failed<1%")
        self.assertEqual(self.run_("--mode=pair", *search, "--check=rate>1"), 1)
        self.assertIn("check rate>1: NO, the search has not ended\n", self.printed.getvalue())


class OnALivePage(ComparisonCase):
    def test_the_page_has_what_the_clients_and_the_probe_of_each_mode_measure(self) -> None:
        self.assertEqual(self.run_("--web", "--mode=pair", "--mode=clear", "--dialect=smtp"), 0)
        assert self.pages is not None
        self.assertEqual(
            self.pages.shown,
            [
                each
                for mode in ("pair", "clear")
                for each in (
                    ("begin", mode, "socket"),
                    ("load", mode, "sending"),
                    ("latencies", mode, 1, 1),
                    ("result", mode, mode),
                    ("end",),
                )
            ],
        )

    def test_it_says_which_load_that_is_and_has_its_latencies_from_the_beginning(self) -> None:
        self.run_("--web", "--mode=pair", "--scenario=pingpong", "--packet-size=7")
        assert self.pages is not None
        self.assertEqual(
            self.pages.lead,
            "The same load on each mode: 2 connections, packets of 7 B. One more connection has a "
            "probe, 50 messages a second.",
        )
        self.assertEqual(
            self.pages.latencies,
            ["connect", "handshake", "confirmed", "first byte", "round trip", "probe"],
        )

    def test_without_a_probe_it_has_none(self) -> None:
        self.run_("--web", "--mode=pair", "--probe-rate=0")
        assert self.pages is not None
        self.assertNotIn("probe", self.pages.lead)
        self.assertNotIn("probe", self.pages.latencies)
        self.assertIn(("latencies", "pair", 1, 0), self.pages.shown)

    def test_it_stays_after_the_results(self) -> None:
        self.run_("--web", "--mode=pair")
        self.assertFalse(self.reactor.hasStopped)
        text = self.printed.getvalue()
        self.assertIn("the live page is at http://127.0.0.1:1/\n", text)
        self.assertGreater(text.index("the live page stays at"), text.index("lost bytes"))


class Status(ComparisonCase):
    def test_it_is_1_if_a_byte_was_lost(self) -> None:
        self.going = lambda name: succeed(result(name, lost=name == "pair"))
        self.assertEqual(self.run_(), 1)

    def test_it_is_1_if_a_connection_did_not_end_in_order(self) -> None:
        self.going = lambda name: succeed(result(name, clean=2 - (name == "pair")))
        self.assertEqual(self.run_(), 1)

    def test_it_is_1_if_the_received_bytes_are_unknown(self) -> None:
        self.going = lambda name: succeed(RunResult(name, 2, LoadCounters(clean=2), 0.0, 0.0))
        self.assertEqual(self.run_(), 1)

    def test_a_file_that_cannot_be_written_is_reported_after_the_table(self) -> None:
        self.assertTrue(os.path.exists("/dev/full"))
        message = self.refused(lambda: self.run_("--mode=pair", "--json=/dev/full"), 2)
        self.assertEqual(message, "tlsdemo run: --json is '/dev/full': No space left on device")
        self.assertIn("lost bytes", self.printed.getvalue())

    def test_a_page_that_cannot_be_written_is_reported_likewise(self) -> None:
        message = self.refused(lambda: self.run_("--mode=pair", "--html=/dev/full"), 2)
        self.assertEqual(message, "tlsdemo run: --html is '/dev/full': No space left on device")

    def test_a_server_that_cannot_start_ends_the_comparison_with_one_line(self) -> None:
        async def cannot() -> None:
            raise CannotLaunch("the server did not start: no")

        self.starting = lambda: Deferred.fromCoroutine(cannot())
        message = self.refused(self.run_, 1)
        self.assertEqual(message, "tlsdemo run: the server did not start: no")
        self.assertEqual(len(self.servers), 1)
        self.assertEqual(self.loads, [])
        self.assertTrue(self.reactor.hasStopped)

    def test_the_results_before_a_failure_are_shown(self) -> None:
        def going(name: str) -> Deferred[RunResult]:
            self.starting = cast(Any, self.cannot)
            return succeed(result(name))

        self.going = going
        self.refused(self.run_, 1)
        self.assertIn("starttls: run starttls: sent 100", self.printed.getvalue())
        self.assertIn("lost bytes", self.printed.getvalue())

    def cannot(self) -> Deferred[None]:
        raise CannotLaunch("the server did not start: no")

    def test_an_unexpected_error_has_a_traceback_and_the_server_is_stopped(
        self,
    ) -> None:
        def going(_: str) -> Deferred[RunResult]:
            raise ZeroDivisionError("by nought")

        self.going = going
        exit_ = self.assertRaises(SystemExit, self.run_)
        self.assertEqual(exit_.code, 1)
        message = cast(io.StringIO, sys.stderr).getvalue()
        self.assertIn("Traceback", message)
        self.assertTrue(message.endswith("tlsdemo run: by nought\n"), message)
        self.assertEqual(self.servers[0].log[-1], "stop")


class Interrupting(ComparisonCase):
    def test_during_the_load_stops_it_and_shows_its_result(self) -> None:
        done: Deferred[RunResult] = Deferred()
        self.going = lambda _: done

        def script() -> None:
            (stopping,) = self.reactor.interrupt()
            self.assertNoResult(stopping)
            done.callback(result("starttls"))
            self.successResultOf(stopping)

        self.script = script
        self.assertEqual(self.refused(self.run_, 1), INTERRUPTED)
        self.assertEqual([load.stops for load in self.loads], [1])
        self.assertEqual([server.log[-1] for server in self.servers], ["stop"])
        self.assertIn("lost bytes", self.printed.getvalue())

    def test_while_a_server_starts_prevents_the_load(self) -> None:
        started: Deferred[None] = Deferred()
        self.starting = lambda: started

        def script() -> None:
            (stopping,) = self.reactor.interrupt()
            started.callback(None)
            self.successResultOf(stopping)

        self.script = script
        self.assertEqual(self.refused(self.run_, 1), INTERRUPTED)
        self.assertEqual(self.loads, [])
        self.assertEqual([server.log[-1] for server in self.servers], ["stop"])
        self.assertFalse(self.reactor.hasStopped)

    def test_a_server_that_also_receives_ctrl_c_is_no_second_problem(self) -> None:
        started: Deferred[None] = Deferred()
        self.starting = lambda: started

        def script() -> None:
            self.reactor.interrupt()
            started.errback(CannotLaunch("the server did not start: KeyboardInterrupt"))

        self.script = script
        self.assertEqual(self.refused(self.run_, 1), INTERRUPTED)

    def test_after_the_end_has_no_effect(self) -> None:
        self.script = lambda: self.assertEqual(self.reactor.interrupt(), [None])
        self.assertEqual(self.run_(), 0)
