"""Many connections, twice each: their events come in the same order."""

from __future__ import annotations

from tests.lab.laboratories import LaboratoryCase, laboratory
from tlsdemo.lab.scenario_matrix import Selection, observe

SELECTED = (
    "ok", "resumed", "client certificate missing", "garbage", "EOF during the handshake",
    "EOF after the handshake", "RST", "rejected by the server's application",
    "rejected by the client's application", "closed by the server",
)  # fmt: skip


class TheMatrix(LaboratoryCase):
    async def test_the_order_of_events_is_the_same_when_every_connection_is_made_again(
        self,
    ) -> None:
        cells = Selection(scenarios=SELECTED).cells()
        first, again = [await observe(laboratory(), cells) for _ in range(2)]
        self.assertEqual(len(first), len(SELECTED) * 6)
        for one, other in zip(first, again, strict=True):
            self.assertFalse(one.race or other.race, (one.mode, one.tls, one.scenario))
            self.assertEqual(one.sequences, other.sequences)
