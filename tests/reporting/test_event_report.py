from __future__ import annotations

import io
import json

from twisted.trial.unittest import SynchronousTestCase

from tests.reporting.test_event_matrix import MATRIX
from tests.reporting.traces import upgraded
from tlsdemo.reporting.event_matrix import EventMatrix
from tlsdemo.reporting.event_matrix_html import matrix_page
from tlsdemo.reporting.event_matrix_markdown import markdown_page
from tlsdemo.reporting.event_report import FEW, write_diagrams, write_matrix
from tlsdemo.reporting.sequence_diagram_html import page
from tlsdemo.reporting.sequence_diagram_text import text

MANY = EventMatrix([*MATRIX.cells] * FEW, MATRIX.descriptions, MATRIX.versions)


class Report(SynchronousTestCase):
    def written(self, form: str, matrix: EventMatrix = MATRIX, sequences: bool = False) -> str:
        stream = io.StringIO()
        write_matrix(matrix, form, stream, sequences)
        return stream.getvalue()

    def drawn(self, form: str) -> str:
        stream = io.StringIO()
        write_diagrams([upgraded()], form, stream)
        return stream.getvalue()

    def test_is_a_document_in_json(self) -> None:
        self.assertEqual(json.loads(self.written("json")), MATRIX.as_json())

    def test_is_a_page_in_html_and_markdown(self) -> None:
        self.assertEqual(self.written("html"), matrix_page(MATRIX))
        self.assertEqual(self.written("markdown"), markdown_page(MATRIX, []))

    def test_has_the_event_sequences_of_a_few_cells_or_on_demand(self) -> None:
        self.assertIn("All goes well.", self.written("text"))
        self.assertNotIn("All goes well.", self.written("text", MANY))
        self.assertIn("All goes well.", self.written("text", MANY, sequences=True))

    def test_draws_sequence_diagrams_as_text_or_html(self) -> None:
        self.assertEqual(self.drawn("text"), text([upgraded()], 160))
        self.assertEqual(self.drawn("html"), page([upgraded()]))
