"""What a client sends before TLS is not in the trace, neither as its own words nor as an echo."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.tls.memory_ends import server_tls
from tests.tls.negotiating_end import UPGRADING_MODES, NegotiatingEnd
from tests.trace.test_redaction import LOGINS, SECRET
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.tls import ModeName
from tlsdemo.trace.connection_observer import ConnectionObserver
from tlsdemo.trace.model import Arrow, End

TAGS = (
    b"a1 AUTHENTICATE PLAIN\r\n" + SECRET + b"\r\n",
    b"EHLO me\r\n" + SECRET + b"\r\n",
    b'NOOP "' + SECRET + b'"\r\n',
    b'NOOP "\\"' + SECRET + b' ) x"\r\n',
)
"""What a client could say so that a server repeats it."""


def traced(mode: ModeName, negotiation: Negotiation, *pieces: bytes) -> str:
    """Return all texts in the trace of a server that receives ``pieces``."""
    reported: list[Any] = []
    observer = ConnectionObserver(End.SERVER, lambda: 0.0, 0.0, reported.append)
    end = NegotiatingEnd(mode, server_tls(), negotiation, observer=observer)
    end.begin()
    end.receive(*pieces)
    return "\n".join(
        " ".join(each.record.messages) if isinstance(each, Arrow) else str(each.event)
        for each in reported
    )


class TracedSecretsTests(SynchronousTestCase):
    def test_no_server_repeats_them_however_they_are_cut(self) -> None:
        parts = [SECRET[start : start + 4].decode() for start in range(len(SECRET) - 3)]
        for mode in UPGRADING_MODES:
            for dialect in DIALECTS.values():
                for server in (dialect.server, dialect.auto()):
                    for login in (*LOGINS, *TAGS):
                        for cut in (0, len(login) // 2, len(login) - 3):
                            try:
                                negotiation = server()
                            except ValueError:
                                continue
                            text = traced(mode, negotiation, login[:cut], login[cut:])
                            for part in (*parts, SECRET.hex()[:8]):
                                self.assertNotIn(part, text, (dialect.name, login, cut))

    def test_the_rest_of_the_answer_is_shown(self) -> None:
        (imap,) = UPGRADING_MODES[:1]
        text = traced(imap, DIALECTS["imap"].server(), SECRET + b"\r\n")
        self.assertIn(" BAD Say STARTTLS first\\r\\n (8 bytes that are not shown)", text)
        text = traced(imap, DIALECTS["sieve"].server(), TAGS[2])
        self.assertIn('OK (TAG ) "Done"\\r\\n (10 bytes that are not shown)', text)

    def test_a_tag_is_shown_before_anything_is_hidden(self) -> None:
        text = traced(ModeName.PAIR, DIALECTS["imap"].server(), b"a1 NOOP\r\n")
        self.assertIn("a1 OK NOOP completed\\r\\n", text)
