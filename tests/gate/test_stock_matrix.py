from __future__ import annotations

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.gate import stock_matrix
from tlsdemo.gate.changes import event_changes
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

    def test_a_client_whose_alpn_is_lost_is_noticed(self) -> None:
        # Ticket 12598, planted: what Twisted sets does not reach OpenSSL.
        self.patch(stock_matrix, "SUBJECTS", ["client with ALPN"])
        self.patch(stock_matrix, "SITUATIONS", ["ok"])
        before = stock_matrix.stock_matrix()
        for kind in (SSL.Connection, SSL.Context):
            self.patch(kind, "set_alpn_protos", lambda _self, _names: None)
        changes = event_changes("stock", before, stock_matrix.stock_matrix())
        noticed = {each.what: (each.baseline, each.candidate) for each in changes}
        self.assertIn("negotiated=h2", noticed["client"][0])
        self.assertIn("negotiated=None", noticed["client"][1])
