"""Connections between two ends of tlsdemo: the order of the events at each end."""

from __future__ import annotations

from tests.lab.laboratories import LaboratoryCase, cell, event, events, laboratory
from tlsdemo.lab import laboratory as module
from tlsdemo.lab.laboratory import GivenUp
from tlsdemo.lab.own_run import run_ours
from tlsdemo.lab.relay import Relay
from tlsdemo.lab.scenarios import SCENARIOS, Action, Fault, FaultAction, inapplicable
from tlsdemo.tls import MODES
from tlsdemo.trace.model import End
from tlsdemo.trace.observation import Observation
from tlsdemo.trace.record import Kind

# The events up to the start of TLS, by mode.
ASKED = ("connected", "upgrade requested", "upgrade granted")
BEGINS = {
    name.value: (*(ASKED if mode.allows_negotiation else ASKED[:1]), mode.called, mode.returned)
    for name, mode in MODES.items()
    if mode.encrypts
}
SECURED = ("handshakeCompleted", "secure")
ENDS_CLEAN = ("connectionLost ConnectionDone", "closed clean")
TRUNCATED = ("alert out fatal decode_error", "connectionLost ConnectionLost", "closed truncated")
BROKEN_OFF = (*TRUNCATED[:2], "insecure handshake interrupted")


def began(*rest: str, mode: str = "starttls") -> tuple[str, ...]:
    return (*BEGINS[mode], *rest)


# The outcome of each scenario: (server, client), or one pair for each of TLS 1.2 and 1.3.
CLEAN, YES = "handshakeCompleted, secure, clean", "handshakeCompleted, secure, "
BOTH_CLEAN = (CLEAN, CLEAN)
BROKEN = ("handshake interrupted", "handshake interrupted")
CUT_OFF = (f"{YES}truncated", f"{YES}truncated")
OUTCOMES: dict[str, tuple[str, str] | tuple[tuple[str, str], tuple[str, str]]] = {
    "ok": BOTH_CLEAN,
    "ok with client certificate": BOTH_CLEAN,
    "resumed": BOTH_CLEAN,
    "client certificate missing": (
        ("certificate missing", "rejected by peer"),
        ("certificate missing", f"{YES}rejected by peer"),
    ),
    "client certificate untrusted": (
        ("certificate untrusted", "rejected by peer"),
        ("certificate untrusted", f"{YES}rejected by peer"),
    ),
    "client certificate expired": (
        ("certificate expired", "rejected by peer"),
        ("certificate expired", f"{YES}rejected by peer"),
    ),
    "wrong name": ("rejected by peer", "wrong name"),
    "untrusted server": ("rejected by peer", "certificate untrusted"),
    "no common version": ("no common TLS version", "rejected by peer"),
    "ALPN only offered": BOTH_CLEAN,
    "no ALPN in common": BOTH_CLEAN,
    "silent in the handshake": ("handshake timeout", "handshake timeout"),
    "garbage": ("plain bytes instead of TLS", "handshake interrupted"),
    "EOF before the handshake": BROKEN,
    "EOF during the handshake": BROKEN,
    "EOF after the handshake": CUT_OFF,
    "RST": CUT_OFF,
    "server writes first": BOTH_CLEAN,
    "data together with Finished": BOTH_CLEAN,
    "rejected by the server's application": (
        (f"{YES}rejected by us", "handshake interrupted"),
        (f"{YES}rejected by us", f"{YES}truncated"),
    ),
    "rejected by the client's application": (
        (f"{YES}truncated", f"{YES}rejected by us"),
        ("handshake interrupted", f"{YES}rejected by us"),
    ),
    "closed by the server": BOTH_CLEAN,
    "close_notify unanswered": (CLEAN, f"{YES}closing timeout"),
    "injection behind the request": ("injected plaintext", "peer refused TLS"),
    "injection behind the go-ahead": ("handshake interrupted", "injected plaintext"),
}


class Outcomes(LaboratoryCase):
    def test_there_is_one_for_every_scenario_without_s_client(self) -> None:
        self.assertEqual(
            list(OUTCOMES),
            [name for name, scenario in SCENARIOS.items() if not scenario.s_client_command],
        )

    async def compare(self, mode: str, tls: str, *scenarios: str) -> None:
        for scenario in scenarios:
            if inapplicable(SCENARIOS[scenario], tls, mode != "wrapped"):
                continue
            seen = Observation(
                mode, tls, scenario, "tlsdemo", traces=[await self.seen(scenario, mode, tls)]
            )
            ends = seen.outcome(End.SERVER).text, seen.outcome(End.CLIENT).text
            expected = OUTCOMES[scenario]
            if (scenario, mode) == ("EOF before the handshake", "wrapped"):
                # Nothing at all has arrived.
                expected = ("probe", "handshake interrupted")
            if isinstance(expected[0], tuple):
                expected = expected[tls == "1.3"]
            self.assertEqual(ends, expected, (scenario, mode, tls))

    async def test_with_starttls_and_tls_1_3(self) -> None:
        await self.compare("starttls", "1.3", *OUTCOMES)

    async def test_with_starttls_and_tls_1_2(self) -> None:
        await self.compare("starttls", "1.2", *list(OUTCOMES)[:10])

    async def test_with_a_pair(self) -> None:
        await self.compare("pair", "1.3", *list(OUTCOMES)[:10])
        await self.compare("pair", "1.2", *list(OUTCOMES)[11:])

    async def test_with_tls_from_the_first_byte(self) -> None:
        await self.compare("wrapped", "1.2", *list(OUTCOMES)[:10])
        await self.compare("wrapped", "1.3", *list(OUTCOMES)[11:])


SERVER_OK = (
    *("ClientHello seen", *SECURED, "first bytes in", "first bytes out"),
    *("close_notify in", "close_notify out"),
)
CLIENT_OK = (
    *("certificate verified", *SECURED, "first bytes out", "confirmed", "first bytes in"),
    *("close_notify out", "close_notify in"),
)
CLIENT_OK_1_2 = (
    *("certificate verified", "confirmed", *SECURED, "first bytes out", "first bytes in"),
    *("close_notify out", "close_notify in"),
)


class EventOrder(LaboratoryCase):
    async def check(
        self, scenario: str, server: tuple[str, ...], client: tuple[str, ...],
        mode: str = "starttls", tls: str = "1.3",
    ) -> None:  # fmt: skip
        orders = await self.orders(scenario, mode, tls)
        self.assertEqual(orders.server, began(*server, mode=mode))
        self.assertEqual(orders.client, began(*client, mode=mode))

    async def test_nothing_goes_wrong(self) -> None:
        server, client = (*SERVER_OK, *ENDS_CLEAN), (*CLIENT_OK, *ENDS_CLEAN)
        await self.check("ok", server, client)
        await self.check("ok", server, client, "wrapped")

    async def test_the_layer_of_a_pair_ends_after_its_socket(self) -> None:
        end = ("socket lost ConnectionDone", *ENDS_CLEAN)
        await self.check("ok", (*SERVER_OK, *end), (*CLIENT_OK, *end), "pair")

    async def test_with_tls_1_2_a_client_is_confirmed_when_its_handshake_is_complete(self) -> None:
        server, client = (*SERVER_OK, *ENDS_CLEAN), (*CLIENT_OK_1_2, *ENDS_CLEAN)
        await self.check("ok", server, client, tls="1.2")

    async def test_with_tls_1_3_a_client_is_secure_before_it_is_rejected(self) -> None:
        alert = "fatal certificate_required"
        lost = "connectionLost Error"
        await self.check(
            "client certificate missing",
            ("ClientHello seen", f"alert out {alert}", lost, "insecure certificate missing"),
            ("certificate verified", *SECURED, "first bytes out", f"alert in {alert}", lost,
             "closed rejected by peer"),
        )  # fmt: skip

    async def test_with_tls_1_2_a_client_is_rejected_before_it_is_secure(self) -> None:
        alert = "fatal handshake_failure"
        lost = "connectionLost Error"
        await self.check(
            "client certificate missing",
            ("ClientHello seen", f"alert out {alert}", lost, "insecure certificate missing"),
            ("certificate verified", f"alert in {alert}", lost, "insecure rejected by peer"),
            tls="1.2",
        )

    async def test_a_session_is_resumed_without_a_certificate_on_the_wire(self) -> None:
        orders = await self.orders("resumed", tls="1.2")
        self.assertEqual(orders.server, began(*SERVER_OK, *ENDS_CLEAN))
        verified_later = ("confirmed", "handshakeCompleted", "certificate verified", "secure")
        self.assertEqual(orders.client, began(*verified_later, *CLIENT_OK_1_2[4:], *ENDS_CLEAN))
        self.assertEqual([each for each in orders.wire if "certificate" in each], [])
        for word in ("client handshake client_hello", "server handshake server_hello"):
            self.assertIn(word, orders.wire)
        full = await self.orders("ok with client certificate", tls="1.2")
        self.assertIn("server handshake certificate", full.wire)
        self.assertIn("client handshake certificate", full.wire)

    async def test_data_injected_behind_the_request_never_reaches_tls(self) -> None:
        orders = await self.orders("injection behind the request")
        refused = ("upgrade refused", "connectionLost ConnectionDone")
        self.assertEqual(orders.server, ("connected", *refused, "insecure injected plaintext"))
        self.assertEqual(
            orders.client,
            ("connected", "upgrade requested", *refused, "insecure peer refused TLS"),
        )
        self.assertEqual(
            orders.wire[:2], ("client plain STARTTLS\\r\\n", "client plain INJECTED (injected)")
        )

    async def test_data_injected_behind_the_go_ahead_never_reaches_tls(self) -> None:
        orders = await self.orders("injection behind the go-ahead")
        self.assertEqual(orders.server, began(*BROKEN_OFF))
        self.assertEqual(
            orders.client,
            ("connected", "upgrade requested", "upgrade refused", "connectionLost ConnectionDone",
             "insecure injected plaintext"),
        )  # fmt: skip
        self.assertNotIn("client handshake client_hello", orders.wire)

    async def test_a_fin_without_close_notify_is_a_truncation(self) -> None:
        await self.check(
            "EOF after the handshake",
            (*SERVER_OK[:-2], *TRUNCATED),
            (*CLIENT_OK[:-2], *TRUNCATED),
        )

    async def test_a_reset_looks_like_a_fin_without_close_notify(self) -> None:
        self.assertEqual(
            (await self.orders("RST")).client, (await self.orders("EOF after the handshake")).client
        )

    async def test_an_unanswered_close_notify_ends_in_a_timeout(self) -> None:
        await self.check(
            "close_notify unanswered",
            (*SERVER_OK, *ENDS_CLEAN),
            (*CLIENT_OK[:-1], "connectionLost ConnectionLost", "closed closing timeout"),
        )

    async def test_silence_during_the_handshake_ends_in_a_timeout_at_both_ends(self) -> None:
        ends = ("alert out fatal decode_error", "connectionLost ConnectionLost",
                "insecure handshake timeout")  # fmt: skip
        await self.check("silent in the handshake", ("ClientHello seen", *ends), ends)

    async def test_no_data_is_delivered_from_a_client_that_the_application_rejects(self) -> None:
        scenario = "rejected by the server's application"
        for mode in BEGINS:
            for tls, finished in (("1.3", 4), ("1.2", 1)):
                trace = await self.seen(scenario, mode, tls)
                names = [each.name for each in events(trace, End.SERVER)]
                self.assertIn("secure", names)
                self.assertNotIn("first bytes in", names)
                self.assertEqual(names[-1], "insecure")
                if tls == "1.3":
                    # Certificate, CertificateVerify, Finished, and the data behind them.
                    sent = [
                        each.record
                        for each in trace.arrows()
                        if each.sender is End.CLIENT and each.record.kind is Kind.APPLICATION_DATA
                    ]
                    self.assertEqual(len(sent), finished)

    async def test_no_data_is_delivered_from_a_server_that_the_application_rejects(self) -> None:
        trace = await self.seen("rejected by the client's application", tls="1.2")
        self.assertIn("first bytes out", [each.name for each in events(trace, End.SERVER)])
        self.assertNotIn("first bytes in", [each.name for each in events(trace, End.CLIENT)])


class EventFacts(LaboratoryCase):
    async def test_the_last_flight_is_written_at_secure_not_at_handshake_completed(self) -> None:
        for mode in BEGINS:
            # The client sends the last flight with TLS 1.3, and the server with TLS 1.2.
            for tls, last in (("1.3", End.CLIENT), ("1.2", End.SERVER)):
                trace = await self.seen("ok with client certificate", mode, tls)
                for name, flight in (("handshakeCompleted", False), ("secure", True)):
                    facts = event(trace, last, name).facts
                    self.assertEqual(facts["flight"], flight, (mode, tls, name))

    async def test_the_peers_certificate_is_known_at_handshake_completed(self) -> None:
        for tls in ("1.2", "1.3"):
            trace = await self.seen("ok with client certificate", tls=tls)
            for end in End:
                self.assertIs(event(trace, end, "handshakeCompleted").facts["peer"], True)
        self.assertIs(event(trace, End.SERVER, "ClientHello seen").facts["peer"], False)
        trace = await self.seen("ok")
        self.assertIs(event(trace, End.SERVER, "secure").facts["peer"], False)

    async def test_writes_are_sent_from_secure_until_close_notify(self) -> None:
        for mode in BEGINS:
            for scenario in ("ok", "closed by the server"):
                trace = await self.seen(scenario, mode)
                for end in End:
                    seen = events(trace, end)
                    secure = [each.name for each in seen].index("secure")
                    out = [each.name for each in seen].index("close_notify out")
                    write = [each.facts.get("write", False) for each in seen]
                    self.assertEqual([*write[: secure - 1]], [False] * (secure - 1))
                    self.assertEqual(write[secure:out], [True] * (out - secure))
                    self.assertEqual(write[out:], [False] * (len(seen) - out))

    async def test_the_negotiated_alpn_protocol_is_known_at_handshake_completed(self) -> None:
        settings = SCENARIOS["no ALPN in common"].server
        agreed = await self.seen("ok", server=settings, client=settings)
        trace = await self.seen("no ALPN in common")
        for end in End:
            self.assertEqual(event(agreed, end, "handshakeCompleted").facts["alpn"], "http/1.1")
            self.assertEqual(event(trace, end, "handshakeCompleted").facts["alpn"], "")

    async def test_events_before_tls_have_no_facts_about_tls(self) -> None:
        self.assertEqual(event(await self.seen("ok"), End.SERVER, "connected").facts, {})


class ConnectionsThatDoNotEnd(LaboratoryCase):
    async def assert_given_up(self, problem: str) -> None:
        lab = laboratory()
        with self.assertRaises(GivenUp) as raised:
            await run_ours(lab, cell("ok", action=Action.RESET, action_by=None))
        self.assertEqual(str(raised.exception), f"starttls, TLS 1.3, ok: {problem}")

    async def test_a_connection_that_does_not_end_in_time_is_given_up(self) -> None:
        self.patch(module, "RUN_TIMEOUT", 0.1)
        await self.assert_given_up("not over after 0.1 s")

    async def test_a_connection_that_cannot_be_reset_is_given_up(self) -> None:
        self.patch(module, "RUN_TIMEOUT", 0.1)
        self.patch(module, "ABORT_TIMEOUT", 0.1)
        self.patch(Relay, "reset", lambda relay: relay.cut())
        await self.assert_given_up("not over after 0.1 s")

    async def test_a_connection_that_cannot_be_established_is_given_up_at_once(self) -> None:
        self.patch(module, "ABORT_TIMEOUT", 0.1)
        self.patch(module.Run, "relay_to", lambda run, _port: _refusing_port(run))
        await self.assert_given_up("Connection was refused by other side: 111: Connection refused.")


def _refusing_port(run: module.Run) -> int:
    """Return a port that refuses connections, with a relay that is not connected."""
    run.relay = Relay(run.reactor, 1, run.elapsed, run.trace.seen.append)
    return 1


class Faults(LaboratoryCase):
    async def test_dropped_and_injected_records_are_marked_in_the_trace(self) -> None:
        orders = await self.orders("garbage")
        self.assertEqual(
            orders.wire[1:3],
            ("client handshake client_hello (dropped)", "client unreadable (injected)"),
        )

    async def test_a_fault_is_triggered_once(self) -> None:
        fault = Fault(End.CLIENT, Kind.PLAIN, FaultAction.APPEND, b"more")
        trace = await self.seen("ok", fault=fault)
        self.assertEqual(sum(each.fate.value == "injected" for each in trace.arrows()), 1)
