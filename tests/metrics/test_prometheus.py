from __future__ import annotations

import re
from collections.abc import Mapping

from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus
from twisted.internet.defer import Deferred

from tests.metrics.loopback_metrics import MeteredCase
from tlsdemo.close_reasons import Cause
from tlsdemo.metrics.prometheus import exposition, registry_of
from tlsdemo.metrics.server_figures import STATES, ServerFigures
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


def values(figures: ServerFigures) -> Mapping[str, float]:
    """The samples by name and labels, in the order of these, without the mode."""
    text, _ = exposition(registry_of(figures), "")
    found = {}
    for family in prometheus(text.decode()):
        for sample in family.samples:
            labels = [
                f"{key}={each}" for key, each in sorted(sample.labels.items()) if key != "mode"
            ]
            found[" ".join([sample.name, *labels])] = sample.value
    return found


class MetricsTests(MeteredCase):
    def test_are_the_counters_of_the_server(self) -> Deferred[None]:
        async def scenario() -> None:
            server, figures = self.metered(ModeName.STARTTLS)
            client = await self.connect(server, self.client(ModeName.STARTTLS))
            await client.made
            client.send(b"hello")
            await client.received(5)
            seen = values(figures)
            dialect = "dialect=immediate"
            self.assertEqual(seen[f"tlsdemo_connections_total {dialect}"], 1)
            self.assertEqual(seen[f"tlsdemo_open_connections {dialect} state=open"], 1)
            self.assertEqual(seen[f"tlsdemo_received_bytes_total {dialect}"], 5)
            self.assertEqual(seen[f"tlsdemo_sent_bytes_total {dialect}"], 5)
            self.assertEqual(seen[f"tlsdemo_received_records_total {dialect}"], 1)
            self.assertEqual(seen[f"tlsdemo_received_events_total {dialect}"], 1)
            self.assertEqual(seen[f"tlsdemo_handshake_duration_seconds_count {dialect}"], 1)
            self.assertEqual(seen[f"tlsdemo_upgrade_duration_seconds_count {dialect}"], 1)
            (handshakes,) = [key for key in seen if key.startswith("tlsdemo_handshakes_total")]
            self.assertRegex(handshakes, r" group=\w+ version=TLSv1\.3$")
            client.close()
            await self.idle(server)
            seen = values(figures)
            self.assertEqual(seen[f"tlsdemo_connection_ends_total cause=clean {dialect}"], 1)
            self.assertEqual(seen[f"tlsdemo_open_connections {dialect} state=open"], 0)

        return Deferred.fromCoroutine(scenario())

    def test_count_a_failure_by_its_cause(self) -> Deferred[None]:
        async def scenario() -> None:
            server, figures = self.metered(ModeName.STARTTLS)
            client = await self.connect(server, self.client(ModeName.CLEAR))
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            await client.lost
            await self.idle(server)
            cause = Cause.PLAINTEXT.value
            ends = f"tlsdemo_connection_ends_total cause={cause} dialect=immediate"
            self.assertEqual(values(figures)[ends], 1)

        return Deferred.fromCoroutine(scenario())

    def test_tell_those_that_began_with_tls_on_a_server_for_both(self) -> Deferred[None]:
        async def scenario() -> None:
            server, figures = self.metered(ModeName.STARTTLS, dialect=DIALECTS["smtp"], auto=True)
            client = await self.connect(server, self.client(ModeName.STARTTLS))
            await client.made
            client.send(b"hello")
            await client.received(5)
            (found,) = [key for key in values(figures) if key.startswith("tlsdemo_handshakes_t")]
            self.assertIn("dialect=immediate", found)

        return Deferred.fromCoroutine(scenario())

    def test_have_a_series_for_each_cause_and_state_from_the_beginning(self) -> None:
        _, figures = self.metered(ModeName.PAIR)
        seen = values(figures)
        for cause in Cause:
            self.assertIn(
                f"tlsdemo_connection_ends_total cause={cause.value} dialect=immediate", seen
            )
        for state in STATES.values():
            self.assertIn(f"tlsdemo_open_connections dialect=immediate state={state}", seen)

    def test_have_figures_of_the_process(self) -> None:
        _, figures = self.metered(ModeName.PAIR)
        seen = values(figures)
        self.assertGreater(seen["process_cpu_seconds_total"], 0)
        self.assertGreater(seen["process_resident_memory_bytes"], 1 << 20)

    def test_are_valid_in_both_formats(self) -> None:
        _, figures = self.metered(ModeName.PAIR)
        registry = registry_of(figures)
        text, content_type = exposition(registry, OPENMETRICS)
        self.assertTrue(content_type.startswith("application/openmetrics-text"), content_type)
        names = [family.name for family in openmetrics(text.decode())]
        text, content_type = exposition(registry, "text/plain")
        self.assertTrue(content_type.startswith("text/plain"), content_type)
        self.assertEqual(len(list(prometheus(text.decode()))), len(names))

    def test_are_given_whatever_was_asked_for(self) -> None:
        _, figures = self.metered(ModeName.PAIR)
        registry = registry_of(figures)
        for accept in (
            "application/openmetrics-text;version=1.x",
            "application/openmetrics-text;version=;escaping=\xff",
            "text/plain;version=99999999999999.0.0;escaping=x",
            ";;;,,,===",
        ):
            text, content_type = exposition(registry, accept)
            self.assertIn(b"tlsdemo_connections", text)
            self.assertNotIn("99999", content_type)

    def test_have_only_labels_that_no_peer_has_chosen(self) -> None:
        _, figures = self.metered(ModeName.PAIR)
        text, _ = exposition(registry_of(figures), "")
        ours = [line for line in text.decode().splitlines() if line.startswith("tlsdemo_")]
        labels = set(re.findall(r'(\w+)="', "\n".join(ours)))
        build = {"tlsdemo", "python", "twisted", "pyopenssl", "cryptography", "openssl"}
        self.assertEqual(labels - build, {"mode", "dialect", "cause", "state", "worker", "le"})
