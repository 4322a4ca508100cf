from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.gate import stock_matrix
from tlsdemo.gate.stock_subjects import SUBJECTS
from tlsdemo.reporting.event_differences import event_differences


class TheMatrix(SynchronousTestCase):
    def test_is_always_the_same(self) -> None:
        self.patch(stock_matrix, "SITUATIONS", ["ok", "ALPN only offered", "wrong name", "RST",
                                                "injection behind the request"])  # fmt: skip
        first, again = stock_matrix.stock_matrix(), stock_matrix.stock_matrix()
        self.assertEqual(list(event_differences(first, again)), [])
        modes = {cell["mode"] for cell in first["cells"]}
        self.assertEqual(modes, set(SUBJECTS))
        ways = {cell["way"] for cell in first["cells"] if "startTLS" not in cell["mode"]}
        self.assertNotIn("injection behind the request", ways)
        (alpn,) = (
            cell for cell in first["cells"]
            if (cell["mode"], cell["tls"], cell["way"]) == ("client with ALPN", "1.3", "ok")
        )  # fmt: skip
        self.assertIn("negotiated=h2", alpn["server"][0])
