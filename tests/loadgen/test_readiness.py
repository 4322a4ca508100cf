from __future__ import annotations

import doctest
import re
import ssl
from collections.abc import Iterable
from dataclasses import replace
from typing import Any
from unittest import skipUnless

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.loadgen.fake_reactor import FakeReactor, task
from tests.loadgen.foreign_server import Fault, ForeignServer
from tests.support import MemoryTransport, certificates, factory_of, patch_reactor_clock
from tests.test_docs import read
from tlsdemo.close_reasons import Cause
from tlsdemo.loadgen import hello_checks as hello_checks_module
from tlsdemo.loadgen import readiness as readiness_module
from tlsdemo.loadgen.connection_steps import UNKNOWN
from tlsdemo.loadgen.hello_checks import HelloCheck, hello_checks, without_post_quantum
from tlsdemo.loadgen.readiness import STOPPED, Readiness
from tlsdemo.loadgen.segmented_hello import PAUSE, SegmentedHello
from tlsdemo.reporting.readiness_result import CheckResult, Verdict, readiness_lines
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls.groups import CAN_SET_GROUPS
from tlsdemo.tls.policy import DEFAULT_GROUPS

STEP = PAUSE / 4
HAS_HYBRID = "MLKEM" in DEFAULT_GROUPS
POST_QUANTUM = "in one piece"
CLASSICAL = "in one piece, without post-quantum groups"
CUTS = ["cut at 1", "cut at 100", "cut at 512", "cut at 1400"]
RETRY = "HelloRetryRequest"


def a_task(**changes: Any) -> Any:
    client = certificates().client
    return task(
        certificate=str(client.certificate),
        key=str(client.key),
        authority=str(client.authority),
        **changes,
    )


class ReadinessCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor = FakeReactor()
        patch_reactor_clock(self)
        self.served: list[ForeignServer] = []

    def begin(self, *checks: HelloCheck, **changes: Any) -> Readiness:
        self.begun: list[str] = []
        run = Readiness(
            self.reactor,
            a_task(**changes),
            checks or [*hello_checks(DEFAULT_GROUPS)],
            lambda check: self.begun.append(check.name),
        )
        self.done: list[list[CheckResult]] = []
        Deferred.fromCoroutine(run.run()).addCallback(self.done.append)
        return run

    def serve(self, **server: Any) -> dict[str, CheckResult]:
        """Serve until every check is made; what happens in a run of the clock is one read."""
        wires: list[Any] = []
        for _ in range(2000):
            if self.done:
                return {each.name: each for each in self.done[0]}
            if len(self.reactor.attempts()) > len(wires):
                wires.append(self.reactor.attempts()[-1].accept())
                self.served.append(ForeignServer(wires[-1], **server))
            self.served[-1].turn()
            wires[-1].turn()
            self.reactor.advance(STEP)
        raise AssertionError("the checks have no end")

    def verdicts(self, *checks: HelloCheck, **server: Any) -> dict[str, Verdict]:
        self.begin(*checks, dialect=server.get("dialect", "immediate"))
        return {name: each.verdict for name, each in self.serve(**server).items()}


@skipUnless(HAS_HYBRID, "OpenSSL 3.5 has X25519MLKEM768")
class Servers(ReadinessCase):
    """With post-quantum ClientHellos."""

    names = (CLASSICAL, POST_QUANTUM, *CUTS, RETRY)

    def test_a_good_one_passes_every_check_in_every_dialect(self) -> None:
        for dialect in DIALECTS:
            self.setUp()
            verdicts = self.verdicts(dialect=dialect)
            self.assertEqual(verdicts, dict.fromkeys(self.names, Verdict.PASSED), dialect)

    def test_one_that_reads_the_hello_once_is_found_in_every_dialect(self) -> None:
        for dialect in DIALECTS:
            self.setUp()
            verdicts = self.verdicts(dialect=dialect, fault=Fault.READS_ONCE)
            expected = dict.fromkeys(self.names, Verdict.PASSED)
            expected |= dict.fromkeys(CUTS, Verdict.FAILED)
            self.assertEqual(verdicts, expected, dialect)

    def test_one_that_reads_the_hello_once_is_reported_as_docs_load_md_shows(self) -> None:
        self.begin(dialect="smtp")
        printed = readiness_lines([*self.serve(dialect="smtp", fault=Fault.READS_ONCE).values()])
        (shown,) = re.findall(r"^\$ .*=readiness\n(.*?)^```$", read("docs/load.md"), re.M | re.S)
        self.assertEqual(self.words(printed), self.words(shown.splitlines()))

    def words(self, lines: Iterable[str]) -> list[str]:
        # The groups, and so the note about them, are those of the server's OpenSSL.
        return [self.without_numbers(line) for line in lines if not line.startswith("note:")]

    def without_numbers(self, line: str) -> str:
        return re.sub(r"(?<=[a-zT]: )\w+(?=, ClientHello)|(?<=ClientHello of )[\d,]+", "…", line)

    def test_one_that_sends_no_hello_retry_request_is_found_in_every_dialect(self) -> None:
        for dialect in DIALECTS:
            self.setUp()
            verdicts = self.verdicts(dialect=dialect, fault=Fault.NO_RETRY)
            expected = {**dict.fromkeys(self.names, Verdict.PASSED), RETRY: Verdict.FAILED}
            self.assertEqual(verdicts, expected, dialect)

    def test_one_that_takes_only_short_hellos_is_found(self) -> None:
        self.begin()
        results = self.serve(fault=Fault.NO_LONG_HELLO)
        self.assertEqual(results[CLASSICAL].verdict, Verdict.PASSED)
        failed = results[POST_QUANTUM]
        self.assertEqual((failed.verdict, failed.cause), (Verdict.FAILED, "handshake interrupted"))
        self.assertGreater(failed.hello, 1000)

    def test_one_without_tls_1_3_has_no_hello_retry_request(self) -> None:
        self.begin()
        results = self.serve(highest=ssl.TLSVersion.TLSv1_2)
        self.assertEqual(results["cut at 1400"].verdict, Verdict.PASSED)
        retry = results[RETRY]
        self.assertEqual(retry.verdict, Verdict.NOT_TESTED)
        self.assertIn("did not send one", retry.detail)

    def test_one_that_wants_the_share_it_gets_sends_none_either(self) -> None:
        for group, share, why in (
            ("x25519", "X25519", "as it wants the group X25519"),
            ("x25519", "MLKEM512", "as it has no TLS 1.3"),
            (UNKNOWN, "MLKEM512", "the server did not send one"),
        ):
            self.assertIn(why, readiness_module._no_retry(group, share))
        self.begin(HelloCheck(RETRY, "X25519:P-256", 0, "X25519"))
        self.assertEqual(self.serve()[RETRY].verdict, Verdict.NOT_TESTED)

    def test_the_results_say_what_was_sent_and_agreed_on(self) -> None:
        self.begin()
        results = self.serve()
        cut, retry = results["cut at 100"], results[RETRY]
        self.assertEqual((cut.cut, cut.retried), (100, False))
        self.assertGreater(cut.hello, 1400)
        self.assertEqual((retry.cut, retry.retried), (0, True))
        self.assertIn(retry.group, ("x25519", UNKNOWN))


class Segments(ReadinessCase):
    def reads(self, cut: int, dialect: str = "immediate") -> list[int]:
        self.setUp()
        self.begin(HelloCheck("cut", "", cut), dialect=dialect)
        result = self.serve(dialect=dialect)["cut"]
        reads = self.served[0].reads
        if result.verdict is Verdict.PASSED and cut:
            self.assertEqual(reads[0] + reads[1], result.hello)
        return reads

    def test_the_first_has_as_many_bytes_as_were_asked_for(self) -> None:
        for dialect in DIALECTS:
            for cut in (1, 100):
                self.assertEqual(self.reads(cut, dialect)[0], cut, dialect)

    def test_the_second_leaves_after_a_pause(self) -> None:
        self.begin(HelloCheck("cut", "", 1))
        wire = self.reactor.attempts()[0].accept()
        self.assertEqual(wire.take(), b"")
        # Two iterations of a reactor, so that what was said before is on its way.
        self.reactor.advance(0)
        self.reactor.advance(0)
        self.assertEqual(wire.take(), b"\x16")
        self.reactor.advance(0)
        self.reactor.advance(PAUSE - 0.01)
        self.assertEqual(wire.take(), b"")
        self.reactor.advance(0.01)
        self.assertEqual(wire.take()[:1], b"\x03")
        wire.lose(ConnectionResetError())

    def test_a_connection_that_ends_between_them_sends_no_second(self) -> None:
        self.begin(HelloCheck("cut", "", 1))
        wire = self.reactor.attempts()[0].accept()
        for _ in range(3):
            self.reactor.advance(0)
        wire.lose(ConnectionResetError())
        self.reactor.advance(0)
        self.assertEqual(self.done[0][0].verdict, Verdict.FAILED)
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_hello_that_is_too_short_is_not_tested(self) -> None:
        self.begin(HelloCheck("cut", "", 4000))
        result = self.serve()["cut"]
        self.assertEqual((result.verdict, result.cut), (Verdict.NOT_TESTED, 0))
        self.assertIn("the ClientHello has only", result.detail)

    def test_what_is_written_behind_the_hello_waits_too(self) -> None:
        wrapper = SegmentedHello(factory_of(Protocol()), self.reactor, 1).buildProtocol(None)
        wire = MemoryTransport(wrapper)
        wire.connect()
        wrapper.write(b"plain")
        wrapper.write(b"\x16\x03hello")
        wrapper.writeSequence([b"a", b"b"])
        self.assertEqual(wire.take(), b"plain")
        for _ in range(3):
            self.reactor.advance(0)
        self.assertEqual(wire.take(), b"\x16")
        self.reactor.advance(PAUSE)
        wrapper.write(b"\x16\x03again")
        self.assertEqual(wire.take(), b"\x03helloab\x16\x03again")


class Ends(ReadinessCase):
    def test_if_the_first_fails_no_other_is_made(self) -> None:
        self.begin()
        self.reactor.attempts()[0].refuse()
        self.reactor.advance(0)
        (result,) = self.done[0]
        self.assertEqual((result.verdict, result.cause, result.hello),
                         (Verdict.FAILED, Cause.CONNECTION_REFUSED.value, 0))  # fmt: skip
        self.assertEqual(self.begun, [result.name])

    def test_a_server_that_says_nothing_fails_in_time(self) -> None:
        self.begin(timeout=5.0, handshake_timeout=5.0)
        wire = self.reactor.attempts()[0].accept()
        self.reactor.advance(5.0)
        wire.turn()
        self.reactor.advance(0)
        (result,) = self.done[0]
        self.assertEqual(result.cause, Cause.HANDSHAKE_TIMEOUT.value)

    def test_an_impossible_check_is_not_made(self) -> None:
        self.begin(HelloCheck("first", ""), HelloCheck("second", "", impossible="no way"))
        results = self.serve()
        self.assertEqual(results["second"].detail, "no way")
        self.assertEqual(self.begun, ["first"])

    def test_stopped_it_makes_no_more(self) -> None:
        run = self.begin(HelloCheck("first", ""), HelloCheck("second", ""))
        wire = self.reactor.attempts()[0].accept()
        run.stop()
        wire.turn()
        self.reactor.advance(0)
        self.assertEqual([each.detail for each in self.done[0]], [STOPPED, STOPPED])
        self.assertEqual(self.begun, ["first"])
        run.stop()


class Checks(SynchronousTestCase):
    def test_the_docstring_examples_work(self) -> None:
        outcome = doctest.testmod(hello_checks_module)
        self.assertEqual((outcome.attempted > 0, outcome.failed), (True, 0))

    def test_without_post_quantum_groups_there_is_one_less(self) -> None:
        hybrid = [each.name for each in hello_checks("X25519MLKEM768:X25519")]
        classical = [each.name for each in hello_checks("X25519")]
        only_hybrid = [each.name for each in hello_checks("X25519MLKEM768")]
        self.assertEqual(hybrid, [CLASSICAL, *classical])
        self.assertEqual(classical, [POST_QUANTUM, *CUTS, RETRY])
        self.assertEqual(only_hybrid, classical)
        self.assertEqual(without_post_quantum("X25519MLKEM768"), "")

    @skipUnless(CAN_SET_GROUPS, "this version of pyOpenSSL cannot set groups")
    def test_a_retry_has_a_share_that_is_not_among_the_groups(self) -> None:
        for groups in ("*X25519:P-256", "P-256/P-384", "MLKEM512:X25519", "?P-384"):
            *_, retry = hello_checks(groups)
            self.assertNotIn(retry.share, groups)
            self.assertTrue(retry.groups.startswith(f"{retry.share}:"))
            self.assertNotRegex(retry.groups, r"[*?/]")
            self.assertEqual(retry.impossible, "")

    @skipUnless(CAN_SET_GROUPS, "this version of pyOpenSSL cannot set groups")
    def test_a_retry_has_a_share_of_a_group_that_openssl_knows(self) -> None:
        self.patch(hello_checks_module, "_UNUSUAL", ("NO-SUCH-GROUP", "P-521"))
        *_, retry = hello_checks("P-256")
        self.assertEqual((retry.share, retry.groups), ("P-521", "P-521:P-256"))

    def test_where_groups_cannot_be_set_a_retry_is_impossible(self) -> None:
        self.patch(hello_checks_module, "CAN_SET_GROUPS", False)
        *_, retry = hello_checks("")
        self.assertEqual(
            replace(retry, name=""),
            HelloCheck("", "", impossible="this version of pyOpenSSL cannot set groups"),
        )
