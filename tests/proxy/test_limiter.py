from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.proxy.limiter import USUAL_LIMIT_PER_HOST, ConnectionLimiter


class ConnectionLimiterTests(SynchronousTestCase):
    def test_by_default_there_is_no_limit(self) -> None:
        limiter = ConnectionLimiter()
        for _ in range(1000):
            self.assertIsNone(limiter.problem("a"))
            limiter.add("a")

    def test_the_total_number_is_limited(self) -> None:
        limiter = ConnectionLimiter(limit=2)
        for host in ("a", "b"):
            self.assertIsNone(limiter.problem(host))
            limiter.add(host)
        self.assertEqual(
            limiter.problem("c"), "there are 2 already, the limit of --max-connections"
        )
        limiter.remove("a")
        self.assertIsNone(limiter.problem("c"))
        limiter.add("c")
        self.assertEqual(
            limiter.problem("a"), "there are 2 already, the limit of --max-connections"
        )

    def test_the_number_for_each_host_is_limited(self) -> None:
        limiter = ConnectionLimiter(limit_per_host=2)
        for _ in range(2):
            self.assertIsNone(limiter.problem("a"))
            limiter.add("a")
        self.assertEqual(
            limiter.problem("a"), "there are 2 already from there, the limit of --max-per-address"
        )
        self.assertIsNone(limiter.problem("b"))
        limiter.remove("a")
        self.assertIsNone(limiter.problem("a"))

    def test_a_host_that_is_not_known_yet_counts_for_the_total_only(self) -> None:
        limiter = ConnectionLimiter(limit=3, limit_per_host=1)
        for _ in range(3):
            self.assertIsNone(limiter.problem(None))
            limiter.add(None)
        self.assertEqual(
            limiter.problem(None), "there are 3 already, the limit of --max-connections"
        )
        limiter.remove(None)
        self.assertIsNone(limiter.problem("a"))

    def test_the_usual_limit_for_each_host_spares_this_machine(self) -> None:
        limiter = ConnectionLimiter(limit_per_host=None)
        for host, limited in (
            ("192.0.2.1", True),
            ("2001:db8::1", True),
            ("a name", True),
            ("127.0.0.1", False),
            ("127.9.9.9", False),
            ("::1", False),
            ("::ffff:127.0.0.1", False),
            ("::ffff:192.0.2.2", True),
            ("fe80::1%eth0", True),
            ("", False),
        ):
            for _ in range(USUAL_LIMIT_PER_HOST):
                limiter.add(host)
            problem = limiter.problem(host)
            said = problem is not None and problem.startswith("there are 1000 already from there")
            self.assertEqual(said, limited)

    def test_a_network_of_ipv6_counts_as_one_host(self) -> None:
        """A client can choose among all the addresses of its network."""
        limiter = ConnectionLimiter(limit_per_host=2)
        for host in ("2001:db8::1", "2001:db8::ffff:1"):
            self.assertIsNone(limiter.problem(host))
            limiter.add(host)
        self.assertIsNotNone(limiter.problem("2001:db8::2"))
        self.assertIsNone(limiter.problem("2001:db8:0:1::1"))
        limiter.remove("2001:db8::1")
        self.assertIsNone(limiter.problem("2001:db8::2"))

    def test_an_ipv4_address_in_the_form_of_ipv6_counts_as_itself(self) -> None:
        limiter = ConnectionLimiter(limit_per_host=1)
        limiter.add("::ffff:192.0.2.1")
        self.assertIsNotNone(limiter.problem("192.0.2.1"))
        self.assertIsNone(limiter.problem("::ffff:192.0.2.2"))

    def test_loopback_addresses_count_one_by_one_if_they_are_limited(self) -> None:
        limiter = ConnectionLimiter(limit_per_host=1)
        limiter.add("127.0.0.1")
        self.assertIsNotNone(limiter.problem("127.0.0.1"))
        self.assertIsNone(limiter.problem("127.0.0.2"))

    def test_a_host_without_connections_is_forgotten(self) -> None:
        limiter = ConnectionLimiter(limit_per_host=2)
        for number in range(3):
            limiter.add(str(number))
            limiter.add("a")
            limiter.remove(str(number))
        self.assertEqual(list(limiter._by_host), ["a"])
