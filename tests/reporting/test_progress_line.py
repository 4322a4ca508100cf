from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.reporting.progress_line import BAR, Piece, bar_width, clock_text, fitting

LINE = [
    Piece("securing", 0, longer="starttls (1 of 2): securing"),
    Piece("812 of 2,000", 0),
    Piece("0:04 left", 1),
    Piece("271/s", 5),
    Piece("2 failed", 2),
]


class Fitting(SynchronousTestCase):
    def test_leaves_out_what_matters_least(self) -> None:
        count, left, failed = "812 of 2,000", "0:04 left", "2 failed"
        for width, expected in {
            21: ["securi…", count],
            22: ["securing", count],
            32: ["securing", count, failed],
            33: ["securing", count, left],
            43: ["securing", count, left, failed],
            62: ["starttls (1 of 2): securing", count, left, failed],
            74: ["starttls (1 of 2): securing", BAR, count, left, failed],
            81: ["starttls (1 of 2): securing", BAR, count, left, "271/s", failed],
        }.items():
            self.assertEqual(fitting(LINE, width, with_bar=True), expected, width)

    def test_has_no_bar_without_a_total(self) -> None:
        self.assertNotIn(BAR, fitting(LINE, 200, with_bar=False))

    @given(st.integers(12, 300), st.booleans())
    def test_never_cuts_a_figure_and_never_needs_more_columns(self, width: int, bar: bool) -> None:
        found = fitting(LINE, width, bar)
        self.assertIn("812 of 2,000", found)
        self.assertLessEqual(set(found[1:]) - {BAR}, {each.text for each in LINE[1:]})
        columns = sum(bar_width(width) if each == BAR else len(each) for each in found)
        if width >= len("812 of 2,000") + 3:
            self.assertLessEqual(columns + 2 * (len(found) - 1), width)


class ADuration(SynchronousTestCase):
    def test_is_minutes_and_seconds(self) -> None:
        for seconds, expected in {
            0.4: "0:00",
            59.6: "1:00",
            3599: "59:59",
            7325: "2:02:05",
        }.items():
            self.assertEqual(clock_text(seconds), expected)
