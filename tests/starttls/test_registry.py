from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import starttls
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.line_negotiation import LineNegotiation
from tlsdemo.starttls.negotiation import (
    CONNECTED,
    OTHER,
    Negotiation,
    Refuse,
    State,
)
from tlsdemo.starttls.registry import DIALECTS, find_dialect

ROOT = Path(__file__).resolve().parents[2]

MOST_OF_A_REPLY = 512
"""Bytes that a line of SMTP, POP3 or NNTP may have at most."""


def negotiations() -> Iterator[type[Negotiation]]:
    for dialect in DIALECTS.values():
        yield dialect.server
        yield dialect.client


class RegistryTests(SynchronousTestCase):
    def test_has_every_dialect_that_a_module_defines(self) -> None:
        for found in iter_modules(starttls.__path__, "tlsdemo.starttls."):
            for name, value in vars(import_module(found.name)).items():
                if isinstance(value, Dialect):
                    module = found.name.rpartition(".")[2]
                    self.assertIs(
                        DIALECTS.get(value.name),
                        value,
                        f"add {module}.{name} to DIALECTS in tlsdemo/starttls/registry.py",
                    )

    def test_has_every_dialect_under_its_name(self) -> None:
        for name, dialect in DIALECTS.items():
            self.assertEqual(dialect.name, name)
            self.assertRegex(name, r"^[a-z][a-z0-9-]*$")

    def test_finds_a_dialect_or_lists_the_known_names(self) -> None:
        self.assertIs(find_dialect("smtp"), DIALECTS["smtp"])
        failure = self.assertRaises(ValueError, find_dialect, "SMTP")
        self.assertEqual(str(failure), f"none of {', '.join(DIALECTS)}")

    def test_has_no_two_dialects_with_the_same_roles(self) -> None:
        pairs = [(dialect.server, dialect.client) for dialect in DIALECTS.values()]
        self.assertEqual(len(pairs), len({*pairs}))

    def test_every_dialect_has_tests_that_run_a_contract(self) -> None:
        tests = "".join(
            path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py")
        )
        for dialect in DIALECTS.values():
            module = dialect.server.__module__.rpartition(".")[2]
            for role in (dialect.server, dialect.client):
                self.assertTrue(
                    not dialect.negotiates
                    or re.search(rf"\bnegotiation = {role.__name__}\b", tests),
                    f"subclass a contract with `negotiation = {role.__name__}` in "
                    f"tests/starttls/test_{module}.py",
                )
            if dialect.protocol_filter is not None and dialect.server_speaks_first:
                self.assertTrue(
                    re.search(rf"\bprotocol_filter = {dialect.protocol_filter.__name__}\b", tests),
                    "subclass filter_contract.Contract with `protocol_filter = "
                    f"{dialect.protocol_filter.__name__}` in tests/starttls/test_{module}.py",
                )

    def test_page_says_which_dialects_a_proxy_can_relay_and_which_it_cannot(self) -> None:
        page = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
        section = page.partition("\n## Dialects\n")[2].partition("\n## ")[0]
        relayed, _, others = " ".join(section.split()).partition("plain backend of their kind")
        for name, dialect in DIALECTS.items():
            sentence = others if dialect.protocol_filter is None else relayed
            self.assertTrue(
                re.search(f"`{name}`", sentence),
                f"name `{name}` in docs/server.md, section Dialects: "
                + ("after" if dialect.protocol_filter is None else "before")
                + ' the words "plain backend of their kind"',
            )  # fmt: skip


class TableTests(SynchronousTestCase):
    def test_knows_which_role_is_which(self) -> None:
        for dialect in DIALECTS.values():
            self.assertFalse(dialect.server.is_client)
            self.assertTrue(dialect.client.is_client)

    def test_has_a_rule_for_every_message(self) -> None:
        for negotiation in negotiations():
            for state in {rule.next for rule in negotiation.table.values()} | {State.START}:
                begins = (State.START, CONNECTED) in negotiation.table
                if not state.final and not (state is State.START and begins):
                    self.assertIn((state, OTHER), negotiation.table, (negotiation, state))

    def test_has_no_rules_in_final_states(self) -> None:
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

    def test_gives_a_detail_for_every_refusal(self) -> None:
        for negotiation in negotiations():
            for rule in negotiation.table.values():
                self.assertEqual(rule.next is State.REFUSED, bool(rule.detail), (negotiation, rule))

    def test_sends_whole_lines_of_ascii(self) -> None:
        for negotiation in negotiations():
            if issubclass(negotiation, LineNegotiation):
                sent = [rule.say for rule in negotiation.table.values()] + [negotiation.refusal]
                for each in sent:
                    self.assertTrue(each.endswith(b"\r\n") or not each, each)
                    for line in each.split(b"\r\n"):
                        self.assertLess(len(line), MOST_OF_A_REPLY)
                        self.assertRegex(line, rb"^[ -~]*$")

    def test_lets_a_client_switch_only_where_it_has_sent_its_request(self) -> None:
        for dialect in DIALECTS.values():
            if issubclass(dialect.client, LineNegotiation) and not dialect.client_hello_is_request:
                table = dialect.client.table
                agreed = {
                    state for (state, _), rule in table.items() if rule.next is State.SWITCHED
                }
                self.assertLessEqual(agreed, {State.REQUESTED, State.ANSWERED})

    def test_gives_a_server_a_last_word_for_a_peer_that_exceeds_a_limit(self) -> None:
        for dialect in DIALECTS.values():
            if issubclass(dialect.server, LineNegotiation):
                server = dialect.server(max_plain=3)
                server.start()
                (refuse,) = server.receive(b"1234")
                assert isinstance(refuse, Refuse)
                self.assertEqual(refuse.data, dialect.server.refusal.replace(b"{own}", b"tlsdemo"))
                self.assertTrue(refuse.data)
