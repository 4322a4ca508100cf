from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import arrow, mark, upgraded
from tlsdemo.reporting.sequence_diagram_text import WIDEST, bare, text
from tlsdemo.trace.model import Arrow, End, Fate, Trace
from tlsdemo.trace.observation import STATE
from tlsdemo.trace.record import Kind

EXPECTED = """\
starttls, TLS 1.2, ok
mode: starttls   tls: 1.2   Twisted: 26.10
client sent 314 B in 5 pieces, server sent 1,091 B in 7 pieces, 5 events, in 2.5
s

        ms  client                                                        server
            ┬                                                                  ┬
     0.000  ● connected                                                        │
     0.010  │                                                        connected ●
     0.100  ├─ plain “STARTTLS\\r\\n” 10 B ─────────────────────────────────────▶│
            ┊┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈ 12.3 ms later ┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┈┊
    12.400  │◀──────────────────────────────────────── plain “220 go\\r\\n” 8 B ─┤
"""


BARE = """\
client                              server
┬                                        ┬
● connected                              │
│                              connected ●
├─ plain “STARTTLS\\r\\n” ────────────────▶│
"""


class Bare(SynchronousTestCase):
    def test_a_diagram_has_neither_times_nor_sizes(self) -> None:
        self.assertEqual(bare(upgraded(), 42)[:5], BARE.splitlines())


def lines(*seen: object, width: int = 80) -> list[str]:
    drawn = text([Trace("t", {}, list(seen))], width).splitlines()  # type: ignore[arg-type]
    top = next(number for number, line in enumerate(drawn) if "┬" in line)
    end = next(number for number, line in enumerate(drawn) if "┴" in line)
    return [line[12:] for line in drawn[top + 1 : end]]


class ASequenceDiagramAsText(SynchronousTestCase):
    def test_is_two_lifelines(self) -> None:
        drawn = text([upgraded()])
        self.assertEqual(drawn[: len(EXPECTED)], EXPECTED)

    def test_fits_into_its_width(self) -> None:
        for width in (36, 40, 60, 80, 100, 200):
            for line in text([upgraded()], width).splitlines():
                self.assertLessEqual(len(line), min(width, WIDEST), line)

    def test_draws_every_arrow_to_the_other_lifeline(self) -> None:
        for kind in Kind:
            for sender in End:
                seen = arrow(kind, 9, "x", sender=sender)
                (line,) = lines(seen)
                ends = (line[0], line[-2]) if sender is End.CLIENT else (line[-1], line[1])
                self.assertEqual(ends, ("├", "▶") if sender is End.CLIENT else ("┤", "◀"))

    def test_distinguishes_encrypted_records_without_colour(self) -> None:
        (line,) = lines(arrow(Kind.ALERT, 31, encrypted=True))
        self.assertTrue(line.startswith("╞═ alert 31 B ═"), line)

    def test_folds_openssls_states(self) -> None:
        seen = [mark(End.SERVER, 0.0, STATE, state=name) for name in ("one", "another")]
        self.assertEqual(lines(*seen), ["│" + "2 OpenSSL states ".rjust(66) + "○"])
        self.assertIn("○ folded", text([Trace("t", {}, [*seen])]))

    def test_sets_off_the_time_until_a_complete_handshake_is_secure(self) -> None:
        names = ("handshakeCompleted", "secure")
        completed, secure = (mark(End.CLIENT, 0.0, name) for name in names)
        other = mark(End.SERVER, 0.0, "x")
        drawn = lines(other, completed, other, secure, other)
        self.assertEqual([line[0] for line in drawn], ["│", "●", "║", "●", "│"])
        self.assertIn("║ handshake completed, not yet", text([Trace("t", {}, [completed])], 120))

    def test_marks_what_the_diagram_beside_it_lacks(self) -> None:
        both, one = mark(End.SERVER, 0.0, "both"), mark(End.SERVER, 0.1, "one")
        drawn = text([Trace("a", {}, [both, one]), Trace("b", {}, [both, arrow()])], 60)
        self.assertIn("both ●", drawn)
        self.assertIn("one ◆", drawn)
        self.assertIn("◆ handshake 517 B", drawn)
        self.assertIn("◆ only in this diagram", text([Trace("a", {}, [one]), Trace("b")], 120))

    def test_ends_a_dropped_arrow_in_the_middle(self) -> None:
        (forth,) = lines(arrow(Kind.ALERT, 7, fate=Fate.DROPPED))
        (back,) = lines(arrow(Kind.ALERT, 7, fate=Fate.DROPPED, sender=End.SERVER))
        self.assertEqual(forth, "├─ alert 7 B " + "─" * 20 + "✕ dropped".ljust(34) + "│")
        self.assertEqual(back, "│" + "dropped ✕".rjust(34) + "─" * 20 + " alert 7 B ─┤")

    def test_begins_an_injected_arrow_in_the_middle(self) -> None:
        (forth,) = lines(arrow(Kind.ALERT, 7, fate=Fate.INJECTED))
        (back,) = lines(arrow(Kind.ALERT, 7, fate=Fate.INJECTED, sender=End.SERVER))
        self.assertEqual(forth, "│" + "injected ○".rjust(34) + " alert 7 B " + "─" * 20 + "▶│")
        self.assertEqual(back, "│◀" + "─" * 20 + " alert 7 B ○" + " injected".ljust(33) + "│")

    def test_writes_a_long_label_above_its_arrow(self) -> None:
        names = [f"message {number}" for number in range(9)]
        *above, line = lines(arrow(Kind.HANDSHAKE, 99, *names))
        self.assertEqual(
            " ".join(part.strip("│ ") for part in above), f"handshake {', '.join(names)} 99 B"
        )
        self.assertEqual(line, "├" + "─" * 65 + "▶│")

    def test_wraps_a_long_reason(self) -> None:
        reason = "because " * 20
        for end in End:
            drawn = lines(mark(end, 0.0, "closed", reason=reason))
            self.assertGreater(len(drawn), 1)
            self.assertEqual({len(line) for line in drawn}, {68})
            self.assertEqual(sum("●" in line for line in drawn), 1)

    def test_shows_the_states_at_an_event(self) -> None:
        (line,) = lines(mark(End.CLIENT, 0.0, "secure", peer=True, alpn=None, flight=True))
        self.assertIn("● secure  [P·F?]", line)

    def test_has_a_legend_for_the_states_if_there_are_any(self) -> None:
        self.assertIn("[PAFW]", text([upgraded()]))
        self.assertNotIn("[PAFW]", text([Trace("t", {}, [mark(End.CLIENT, 0.0, "x")])]))

    def test_puts_two_side_by_side_if_they_fit(self) -> None:
        both = text([upgraded(), upgraded()], 132).splitlines()
        self.assertEqual(both[0].split("    ")[0], "starttls, TLS 1.2, ok")
        tops = [line for line in both if "┬" in line]
        self.assertEqual([line.count("┬") for line in tops], [4])
        self.assertLessEqual(max(map(len, both)), 132)

    def test_puts_two_below_each_other_otherwise(self) -> None:
        tops = [line for line in text([upgraded(), upgraded()]).splitlines() if "┬" in line]
        self.assertEqual([line.count("┬") for line in tops], [2, 2])

    def test_does_not_break_lines_within_a_fact(self) -> None:
        facts = {f"key{number}": "value" for number in range(12)}
        for line in text([Trace("t", dict(facts))]).splitlines()[1:4]:
            self.assertEqual(line.split("   "), [each.strip() for each in line.split("   ")])
            self.assertTrue(line.startswith("key"))

    def test_has_no_control_characters(self) -> None:
        trace = Trace("a\x1b[2J", {"b\x1b": "c\x1b"}, [mark(End.CLIENT, 0.0, "d\x1b", e="\x1b")])
        trace.seen.append(Arrow(End.CLIENT, 0.0, arrow(Kind.PLAIN, 3, "\x1b").record))
        self.assertNotIn("\x1b", text([trace]))

    def test_of_an_empty_trace_has_empty_lifelines(self) -> None:
        self.assertEqual(lines(), [])
