from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.net.local_addresses import ephemeral_ports, not_ours


class EphemeralPorts(SynchronousTestCase):
    def ports(self, text: str) -> int | None:
        path = Path(self.mktemp())
        path.write_text(text)
        return ephemeral_ports(path)

    def test_both_ends_of_the_range_count(self) -> None:
        self.assertEqual(self.ports("32768\t60999\n"), 28_232)
        self.assertEqual(self.ports("9 8"), 0)

    def test_another_system_does_not_say(self) -> None:
        self.assertIsNone(ephemeral_ports(Path("/nowhere/a")))
        self.assertIsNone(self.ports("much"))


class NotOurs(SynchronousTestCase):
    def test_loopback_has_many_addresses(self) -> None:
        self.assertIsNone(not_ours([]))
        self.assertIsNone(not_ours(["127.0.0.1"]))

    def test_the_first_is_named_with_the_reason(self) -> None:
        found = not_ours(["127.0.0.1", "192.0.2.1", "192.0.2.2"])
        self.assertEqual(found, ("192.0.2.1", "Cannot assign requested address"))
        self.assertIn("2001:db8::1", not_ours(["2001:db8::1"]) or ())
