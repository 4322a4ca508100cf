from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.starttls.line_negotiation import LineNegotiation
from tlsdemo.starttls.negotiation import BEGIN, OTHER, Negotiation, Refuse, State
from tlsdemo.starttls.registry import DIALECTS, DialectName
from tlsdemo.starttls.sniffing import AutoServer

MOST_OF_A_REPLY = 512
"""Bytes that a line of SMTP, POP3 or NNTP may have at most."""


def negotiations() -> Iterator[type[Negotiation]]:
    for dialect in DIALECTS.values():
        yield dialect.server
        yield dialect.client


class CatalogueTests(SynchronousTestCase):
    def test_has_every_dialect_under_its_name(self) -> None:
        self.assertEqual([*DIALECTS], [*DialectName])
        for name, dialect in DIALECTS.items():
            self.assertIs(dialect.name, name)

    def test_knows_who_is_who(self) -> None:
        for dialect in DIALECTS.values():
            self.assertFalse(dialect.server.is_client)
            self.assertTrue(dialect.client.is_client)

    def test_knows_who_speaks_first(self) -> None:
        for dialect in DIALECTS.values():
            client = dialect.client()
            client.start()
            self.assertEqual(dialect.has_words, not client.state.final, dialect.name)
            greeted = bool(dialect.server().start()) and dialect.has_words
            self.assertEqual(dialect.server_greets, greeted, dialect.name)

    def test_has_no_two_of_the_same(self) -> None:
        pairs = [(dialect.server, dialect.client) for dialect in DIALECTS.values()]
        self.assertEqual(len(pairs), len({*pairs}))

    def test_makes_servers_that_take_tls_from_the_first_byte(self) -> None:
        for dialect in DIALECTS.values():
            if dialect.has_words:
                server = dialect.auto()(guard=False)
                self.assertIsInstance(server, AutoServer)
                self.assertEqual(server.awaits_first_byte, dialect.server_greets)


class TableTests(SynchronousTestCase):
    def test_has_an_answer_to_everything(self) -> None:
        for negotiation in negotiations():
            for state in {rule.next for rule in negotiation.table.values()} | {State.START}:
                begins = (State.START, BEGIN) in negotiation.table
                if not state.final and not (state is State.START and begins):
                    self.assertIn((state, OTHER), negotiation.table, (negotiation, state))

    def test_ends_where_it_ends(self) -> None:
        for negotiation in negotiations():
            self.assertFalse([state for state, _ in negotiation.table if state.final], negotiation)

    def test_leads_to_tls_from_every_state(self) -> None:
        for negotiation in negotiations():
            leads = {State.SWITCHED}
            for _ in State:
                leads |= {
                    state for (state, _), rule in negotiation.table.items() if rule.next in leads
                }
            self.assertLessEqual({state for state, _ in negotiation.table}, leads, negotiation)

    def test_says_why_it_refuses(self) -> None:
        for negotiation in negotiations():
            for rule in negotiation.table.values():
                self.assertEqual(rule.next is State.REFUSED, bool(rule.detail), (negotiation, rule))

    def test_says_whole_lines(self) -> None:
        for negotiation in negotiations():
            if issubclass(negotiation, LineNegotiation):
                said = [rule.say for rule in negotiation.table.values()] + [negotiation.refusal]
                for each in said:
                    self.assertTrue(each.endswith(b"\r\n") or not each, each)
                    for line in each.split(b"\r\n"):
                        self.assertLess(len(line), MOST_OF_A_REPLY)
                        self.assertRegex(line, rb"^[ -~]*$")

    def test_lets_a_client_go_on_only_where_it_has_asked(self) -> None:
        for dialect in DIALECTS.values():
            if issubclass(dialect.client, LineNegotiation):
                table = dialect.client.table
                agreed = {
                    state for (state, _), rule in table.items() if rule.next is State.SWITCHED
                }
                self.assertLessEqual(agreed, {State.ASKED, State.ANSWERED})

    def test_refuses_in_words_the_peer_of_which_may_be_injecting(self) -> None:
        for dialect in DIALECTS.values():
            if issubclass(dialect.server, LineNegotiation):
                server = dialect.server(max_plain=3)
                server.start()
                (refuse,) = server.receive(b"1234")
                assert isinstance(refuse, Refuse)
                self.assertEqual(refuse.data, dialect.server.refusal)
                self.assertTrue(refuse.data)
