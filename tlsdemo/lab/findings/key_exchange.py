"""A finding about the cost of a key exchange: two of them measured side by side in the same run."""

from __future__ import annotations

import time
from statistics import median

from OpenSSL import SSL
from twisted.internet.ssl import CertificateOptions

from tlsdemo.lab.findings.finding import AffectedVersions, Finding, evidence
from tlsdemo.lab.findings.testbed import NoVerdict, Testbed
from tlsdemo.reporting.finding_result import Evidence, Verdict

_CLASSICAL = b"X25519"

_ROUNDS = 40
_HANDSHAKES = 4
"""How many are measured together: a clock of CPU time is too coarse for one."""

_SURE = 0.8
"""The part of the rounds in which one costs more: by chance alone, once in ten thousand runs."""

_HYBRID = 1000
"""A key share of X25519MLKEM768 is at least as many bytes longer than one of X25519, both ways."""

_SEGMENT = 1440
"""Bytes in a segment of TCP over IPv6 and Ethernet, without any TCP options."""


class _Handshakes:
    """Handshakes in memory between a client with default options, or only one group, and a server.

    Attributes:
        flights: The number of bytes that each end sent at once, in order, beginning with the
            client's; of the latest handshake.
    """

    def __init__(self, testbed: Testbed, groups: bytes = b"") -> None:
        client = CertificateOptions(trustRoot=testbed.ca_certificate())
        self._contexts = (client.getContext(), testbed.server_options().getContext())
        self.flights: list[int] = []
        if groups:
            _set_groups(self._contexts[0], groups)

    def make(self) -> float:
        """Make a few; return the seconds of CPU time of both ends."""
        began = time.thread_time()
        for _ in range(_HANDSHAKES):
            self._make_one()
        return time.thread_time() - began

    def _make_one(self) -> None:
        ends = [SSL.Connection(context, None) for context in self._contexts]
        ends[0].set_connect_state()
        ends[1].set_accept_state()
        waiting, self.flights = set(ends), []
        while waiting:
            for end, other in (ends, ends[::-1]):
                try:
                    end.do_handshake()
                    waiting.discard(end)
                except SSL.WantReadError:
                    pass
                try:
                    flight = end.bio_read(1 << 16)
                except SSL.WantReadError:
                    continue
                self.flights.append(len(flight))
                other.bio_write(flight)


def _set_groups(context: SSL.Context, groups: bytes) -> None:
    # pyOpenSSL has no method for it, but its bindings have the function, under its older name.
    try:
        done = SSL._lib.SSL_CTX_set1_curves_list(context._context, groups)  # type: ignore[attr-defined]
    except AttributeError:
        raise NoVerdict("the groups of a context cannot be set with this pyOpenSSL") from None
    if done != 1:
        raise NoVerdict(f"OpenSSL does not know the group {groups.decode()}")


async def _cost(testbed: Testbed) -> Evidence:
    both = {"default": _Handshakes(testbed), "X25519": _Handshakes(testbed, _CLASSICAL)}
    for each in both.values():
        each.make()
    sizes = [
        f"{name}: the client's hello has {each.flights[0]:,} B, the server's answer "
        f"{each.flights[1]:,} B, "
        f"{'more' if each.flights[0] > _SEGMENT else 'no more'} than one segment ({_SEGMENT:,} B)"
        for name, each in both.items()
    ]
    default, classical = (each.flights for each in both.values())
    if any(new - old < _HYBRID for new, old in zip(default[:2], classical, strict=False)):
        return evidence(False, *sizes, "no post-quantum key exchange is agreed on")
    spent: dict[str, list[float]] = {name: [] for name in both}
    for number in range(_ROUNDS):
        # Each begins every other round: what runs first may find other things in the caches.
        for name in list(both)[:: -1 if number % 2 else 1]:
            spent[name].append(both[name].make())
        await testbed.pause(0)
    rounds = list(zip(*spent.values(), strict=True))
    more = sum(new > old for new, old in rounds) / _ROUNDS
    less = sum(new < old for new, old in rounds) / _ROUNDS
    new, old = map(_milliseconds, spent.values())
    lines = (
        *sizes,
        f"CPU time of a handshake, both ends, median of {_ROUNDS} interleaved rounds: "
        f"default {new:.2f} ms, X25519 {old:.2f} ms",
        f"the default costs more in {more:.0%} of the rounds, and less in {less:.0%}",
    )
    if max(more, less) < _SURE:
        return Evidence(Verdict.UNKNOWN, lines, "the difference is too small to be sure")
    return evidence(more > less, *lines)


def _milliseconds(spent: list[float]) -> float:
    return median(spent) * 1e3 / _HANDSHAKES


FINDINGS = (
    Finding(
        "post-quantum-handshake-costs",
        "Post-quantum key exchange, which is now the default, makes each handshake cost more.",
        "OpenSSL prefers X25519MLKEM768 since version 3.5, and neither Twisted nor pyOpenSSL has "
        "a setting for it. With an ECDSA certificate a handshake costs a quarter to a third more "
        "CPU time than with X25519, and over 2 KB of traffic, 1.2 KB of it in the ClientHello "
        "(client-hello-in-two-segments). A comparison of two servers, or of one before and after "
        "an upgrade of OpenSSL, measures this difference unless both use the same group. It "
        "protects what is recorded today against the quantum computers of tomorrow, which is "
        "worth that to most people. tlsdemo prefers it as well, but sets the groups, and shows "
        "which one was agreed on.",
        _cost,
        affected=AffectedVersions("OpenSSL", since="3.5"),
        timeout=20.0,
    ),
)
