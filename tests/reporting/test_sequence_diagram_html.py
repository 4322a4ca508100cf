from __future__ import annotations

from html.parser import HTMLParser

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.traces import arrow, mark, upgraded
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_rows import Step, description, rows
from tlsdemo.trace.model import Arrow, End, Fate, Mark, Trace
from tlsdemo.trace.observation import STATE
from tlsdemo.trace.record import Kind

VOID = {"meta", "line", "path", "circle"}
EVIL = "<script>alert('x')</script>\"'&\x1b"


class Outline(HTMLParser):
    """Checks that all elements are closed, and collects the contents of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.spoken: list[str] = []
        self.hidden_links = 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        self.hidden_links += tag == "a" and any(hidden for _, hidden in self.open)
        if tag not in VOID:
            self.open.append((tag, attributes.get("aria-hidden") == "true"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        opened, _ = self.open.pop()
        assert opened == tag, (opened, tag)

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(hidden or tag == "style" for tag, hidden in self.open):
            self.spoken.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


class ASequenceDiagramAsAPage(SynchronousTestCase):
    def outline(self, *traces: Trace) -> Outline:
        return Outline(page(traces))

    def test_folds_openssls_states(self) -> None:
        seen = [mark(End.SERVER, 0.0, STATE, state=name) for name in ("one", "<b>")]
        drawn = page([Trace("t", {}, [*seen])])
        self.assertIn("</span>2 OpenSSL states</summary><ul><li>one</li><li>&lt;b&gt;</li>", drawn)
        self.assertEqual(self.outline(Trace("t", {}, [*seen])).hidden_links, 0)

    def test_sets_off_the_time_until_a_complete_handshake_is_secure(self) -> None:
        names = ("handshakeCompleted", "x", "secure", "y")
        drawn = page([Trace("t", {}, [mark(End.SERVER, 0.0, name) for name in names])])
        self.assertEqual(drawn.count("event waiting-server"), 1)
        self.assertIn("handshake completed, not yet secure", drawn)

    def test_marks_what_the_diagram_beside_it_lacks(self) -> None:
        both, one = mark(End.SERVER, 0.0, "both"), mark(End.SERVER, 0.0, "one")
        drawn = page([Trace("a", {}, [both, one]), Trace("b", {}, [both])])
        self.assertEqual(drawn.count('event only-here"'), 1)
        self.assertIn("only in this diagram; server: one", drawn)
        self.assertNotIn("only in this diagram", page([Trace("a", {}, [both])]))

    def test_is_self_contained(self) -> None:
        text = page([upgraded(), upgraded()])
        for resource in ("<script", "<link", "<img", "<iframe", "url(", "@import", "http", "src="):
            self.assertNotIn(resource, text)
        for link in Outline(text).all("a"):
            self.assertTrue((link["href"] or "").startswith("#"))

    def test_has_a_language_and_a_heading_for_each_trace(self) -> None:
        outline = self.outline(upgraded(), upgraded())
        self.assertEqual(outline.all("html"), [{"lang": "en"}])
        self.assertEqual((len(outline.all("h1")), len(outline.all("h2"))), (1, 2))
        self.assertEqual(len(outline.all("main")), 1)

    def test_has_a_sentence_for_each_row(self) -> None:
        trace = upgraded()
        outline = self.outline(trace)
        for row in rows(trace):
            expected = description(row) if isinstance(row, Step) else str(row)
            self.assertIn(expected, outline.spoken)

    def test_hides_the_drawing_from_screen_readers(self) -> None:
        outline = self.outline(Trace("t", {}, [arrow(Kind.HANDSHAKE, 517, "client_hello")]))
        found = [text for text in outline.spoken if "client_hello" in text]
        self.assertEqual(found, ["client to server, handshake record, 517 bytes: client_hello"])

    def test_hides_nothing_that_can_be_focused(self) -> None:
        self.assertEqual(self.outline(upgraded()).hidden_links, 0)

    def test_links_the_time_of_each_row_to_its_anchor(self) -> None:
        outline = self.outline(upgraded(), upgraded())
        names = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
        self.assertEqual(len(names), len(set(names)))
        rows_ = [each for each in outline.all("li") if "row" in (each.get("class") or "").split()]
        self.assertEqual(len(rows_), 2 * len(upgraded().seen))
        leading = {(link["href"] or "")[1:] for link in outline.all("a")}
        self.assertLessEqual({each["id"] for each in rows_}, leading)
        self.assertLessEqual(leading, set(names))

    def test_escapes_all_texts(self) -> None:
        seen: list[Mark | Arrow] = [
            mark(End.CLIENT, 0.0, EVIL, peer=True, alpn=EVIL, **{EVIL: EVIL}),
            arrow(Kind.PLAIN, 9, EVIL),
            arrow(Kind.HANDSHAKE, 9, EVIL),
        ]
        text = page([Trace(EVIL, {EVIL: EVIL}, seen)])
        self.assertNotIn("<script", text)
        self.assertNotIn("\x1b", text)
        Outline(text)

    def test_is_named_after_its_only_trace(self) -> None:
        self.assertIn("<title>starttls, TLS 1.2, ok</title>", page([upgraded()]))
        self.assertIn("<title>TLS, seen from both ends</title>", page([upgraded(), upgraded()]))

    def test_shows_the_facts_of_the_trace(self) -> None:
        self.assertIn("<dt>mode</dt><dd>starttls</dd>", page([upgraded()]))
        self.assertNotIn("<dl", page([Trace("t")]))

    def test_draws_an_arrow_from_its_sender(self) -> None:
        for sender, expected in ((End.CLIENT, ("0", "100%")), (End.SERVER, ("100%", "0"))):
            self.assertEqual(self.shaft(sender, Fate.PASSED), expected)

    def test_ends_a_dropped_arrow_in_the_middle(self) -> None:
        self.assertEqual(self.shaft(End.CLIENT, Fate.DROPPED), ("0", "50%"))
        self.assertEqual(self.shaft(End.SERVER, Fate.DROPPED), ("100%", "50%"))

    def test_begins_an_injected_arrow_in_the_middle(self) -> None:
        self.assertEqual(self.shaft(End.CLIENT, Fate.INJECTED), ("50%", "100%"))
        self.assertEqual(self.shaft(End.SERVER, Fate.INJECTED), ("50%", "0"))

    def shaft(self, sender: End, fate: Fate) -> tuple[str | None, str | None]:
        text = page([Trace("t", {}, [arrow(sender=sender, fate=fate)])])
        self.assertEqual(f'<span class="fate">{fate.value}</span>' in text, fate is not Fate.PASSED)
        # The first one is the legend's.
        _, line = Outline(text).all("line")
        return line["x1"], line["x2"]

    def test_shows_the_states_at_an_event(self) -> None:
        text = page([Trace("t", {}, [mark(End.CLIENT, 0.0, "x", peer=True, alpn=None)])])
        self.assertIn(
            '<i class="yes" title="the peer&#x27;s certificate is available: yes">P</i>', text
        )
        self.assertIn('<i title="ALPN is known: no">A</i>', text)
        self.assertIn('<i class="unknown" title="a write would go out now: unknown"></i>', text)

    def test_has_a_legend_for_what_it_contains(self) -> None:
        bare = page([Trace("t", {}, [mark(End.CLIENT, 0.0, "x")])])
        self.assertNotIn("certificate", bare)
        self.assertNotIn(">encrypted<", bare)
        full = page([upgraded()])
        for words in ("plain", "change cipher spec", "encrypted", "a write would go out now"):
            self.assertIn(words, full)

    def test_marks_the_decisive_events(self) -> None:
        seen = [mark(End.CLIENT, 0.0, name) for name in ("secure", "insecure", "other")]
        text = page([Trace("t", {}, list(seen))])
        for expected in ("mark client good", "mark client bad", 'mark client"'):
            self.assertIn(expected, text)
