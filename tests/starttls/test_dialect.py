from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls import imap, immediate, line, mysql, postgres, smtp
from tlsdemo.starttls.dialect import Conversation
from tlsdemo.starttls.names import Names
from tlsdemo.starttls.negotiation import MAX_LINE, Refuse
from tlsdemo.starttls.registry import DIALECTS
from tlsdemo.starttls.sniffing import AutoServer


class DialectTests(SynchronousTestCase):
    def test_knows_a_sample_conversation(self) -> None:
        self.assertEqual(line.DIALECT.conversation, Conversation((b"STARTTLS\r\n",), (b"OK\r\n",)))
        self.assertEqual(
            imap.DIALECT.conversation.client, (b"a1 CAPABILITY\r\n", b"a2 STARTTLS\r\n")
        )
        self.assertEqual(immediate.DIALECT.conversation, Conversation((), ()))

    def test_knows_who_speaks_first(self) -> None:
        self.assertTrue(mysql.DIALECT.server_speaks_first)
        self.assertFalse(postgres.DIALECT.server_speaks_first)
        self.assertFalse(immediate.DIALECT.server_speaks_first)

    def test_knows_whether_the_client_hello_is_the_request(self) -> None:
        self.assertTrue(postgres.DIRECT.client_hello_is_request)
        self.assertFalse(postgres.DIALECT.client_hello_is_request)

    def test_knows_whether_each_side_negotiates_in_plaintext(self) -> None:
        self.assertEqual(
            [
                (dialect.negotiates, dialect.server_negotiates)
                for dialect in (immediate.DIALECT, postgres.DIRECT, line.DIALECT)
            ],
            [(False, False), (False, True), (True, True)],
        )

    def test_lets_clients_be_idle_as_long_as_its_protocol_demands(self) -> None:
        longer = {"imap": 1800, "postgres": 28_800, "postgres-direct": 28_800, "mysql": 28_800}
        for name, dialect in DIALECTS.items():
            self.assertEqual(dialect.idle_timeout, longer.get(name, 600), name)

    def test_knows_the_longest_line_that_its_server_accepts(self) -> None:
        self.assertEqual(line.DIALECT.max_line, MAX_LINE)

    def test_knows_which_alpn_protocols_it_may_negotiate(self) -> None:
        self.assertEqual(line.DIALECT.alpn, ())
        self.assertEqual(postgres.DIALECT.alpn, ("postgresql",))
        self.assertEqual(postgres.DIRECT.alpn, ("postgresql",))

    def test_makes_servers_that_accept_tls_from_the_first_byte(self) -> None:
        for dialect in DIALECTS.values():
            if dialect.negotiates:
                server = dialect.auto()(guard=False)
                self.assertIsInstance(server, AutoServer)
                self.assertEqual(server.awaits_first_byte, dialect.server_speaks_first)
            elif not dialect.server_negotiates:
                self.assertRaises(ValueError, dialect.auto())

    def test_tells_a_client_that_it_cannot_be_served(self) -> None:
        for dialect in DIALECTS.values():
            client = dialect.client()
            client.start()
            if client.state.final:
                continue
            (refused,) = client.receive(dialect.unavailable(Names(own="mail.example")))
            assert isinstance(refused, Refuse)
            self.assertIs(refused.cause, Cause.UPGRADE_REFUSED, dialect.name)

    def test_names_itself_to_a_client_that_cannot_be_served(self) -> None:
        said = smtp.DIALECT.unavailable(Names(own="mail.example"))
        self.assertEqual(said, b"421 4.3.2 mail.example Service not available, try again later\r\n")

    def test_has_nothing_to_tell_where_only_tls_is_spoken(self) -> None:
        self.assertEqual(immediate.DIALECT.unavailable(), b"")
