from __future__ import annotations

import os
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from OpenSSL import SSL
from twisted.trial.unittest import SynchronousTestCase

from tests.support import certificates
from tests.tls.memory_ends import TLS12, TLS13, End, foreign_client
from tlsdemo.tls import ModeName, ServerTLS, session_tickets
from tlsdemo.tls.session_tickets import CAN_SET_NUMBER, DEFAULT_NUMBER, SessionTickets


def resumed(number: int, version: ssl.TLSVersion) -> bool:
    """Whether a client resumes its session with a server that sends so many tickets."""
    tls = ServerTLS.build(certificates().server, preparations=[SessionTickets(number)])
    first = foreign_client(version=version)
    End(ModeName.PAIR, tls).secured_with(first)
    again = foreign_client(context=first.tls.context, session=first.tls.session)
    End(ModeName.PAIR, tls).secured_with(again)
    return bool(again.tls.session_reused)


CONFIGURATION = """
openssl_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = tls
[tls]
NumTickets = 1
"""

COUNT = """
from tests.tls.memory_ends import End, foreign_client, server_tls
from tlsdemo.tls import ModeName

peer = foreign_client()
end = End(ModeName.PAIR, server_tls()).until_complete(peer)
end.transport.deliver(peer.take())
# Each ticket is a record of its own.
rest, tickets = end.transport.take(), 0
while rest:
    rest, tickets = rest[5 + int.from_bytes(rest[3:5], "big") :], tickets + 1
print(tickets)
"""


def tickets(**environment: str) -> int:
    """How many tickets a server sends in a process with this in its environment."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(done.stdout)


class SessionTicketsTests(SynchronousTestCase):
    def test_a_session_is_resumed_with_the_default_number(self) -> None:
        for version in (TLS12, TLS13):
            self.assertTrue(resumed(DEFAULT_NUMBER, version))

    def test_no_session_is_resumed_without_tickets(self) -> None:
        for version in (TLS12, TLS13):
            self.assertFalse(resumed(0, version))

    def test_a_number_that_cannot_be_set_is_refused(self) -> None:
        if CAN_SET_NUMBER:
            self.assertTrue(resumed(1, TLS13))
        else:
            error = self.assertRaises(ValueError, SessionTickets, 1)
            self.assertIn("can only send none (0)", str(error))

    def test_openssls_configuration_file_sets_the_number_for_a_process(self) -> None:
        self.assertEqual(tickets(), DEFAULT_NUMBER)
        file = Path(self.mktemp())
        file.write_text(CONFIGURATION)
        self.assertEqual(tickets(OPENSSL_CONF=str(file.resolve())), 1)

    def test_any_number_is_set_if_pyopenssl_can(self) -> None:
        numbers = []
        lib = SimpleNamespace(SSL_CTX_set_num_tickets=lambda _, number: numbers.append(number))
        context = SSL.Context(SSL.TLS_METHOD)
        self.patch(session_tickets, "CAN_SET_NUMBER", True)
        self.patch(SSL, "_lib", lib)
        for number in (1, 5):
            SessionTickets(number)(context)
        self.assertEqual(numbers, [1, 5])
