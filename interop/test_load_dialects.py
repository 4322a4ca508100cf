"""Loads that begin with STARTTLS or SSLRequest, and what the servers have logged of them."""

from __future__ import annotations

from interop.attempts import tried
from interop.load import LoadCase
from interop.mail import DovecotCase, PostfixCase
from interop.postgres import PostgresCase
from interop.test_xmpp import DOMAIN, ProsodyCase

CHURN = "`churn`: connections are as many on both ends"
MESSAGES = f"{CHURN}, each with three messages and the right answers"


class OfPostgres(LoadCase, PostgresCase):
    @tried(CHURN, "PostgreSQL")
    def test_by_ssl_request(self) -> None:
        port = self.postgres(tls=True, more=("log_min_messages=debug2", "log_connections=on"))
        counters = self.load(port, "--scenario=churn", "--rate=20", dialect="postgres")
        log = self.postgres_log()
        self.assertEqual(log.count("connection received"), counters["begun"])
        self.assertEqual(log.count("SSL connection from DN:"), counters["begun"])


class OfPostfix(LoadCase, PostfixCase):
    @tried(MESSAGES, "Postfix")
    def test_by_starttls(self) -> None:
        port = self.postfix(tls=True, more="smtpd_tls_loglevel = 1\n")
        counters = self.answered(
            *(port, "--scenario=churn", "--packets=3", r"--say=NOOP\r\n", "--expect=250 "),
            dialect="smtp",
        )
        log = self.postfix_home / "log"
        begun = counters["begun"]
        self.seen(log, "TLS connection established from", begun)
        self.seen(log, r"disconnect from .* ehlo=1 starttls=1 noop=3 commands=5\n", begun)
        # It does not answer a close_notify.
        self.assertEqual(counters["without_end"], begun)


class OfDovecot(LoadCase, DovecotCase):
    @tried(MESSAGES, "Dovecot")
    def test_by_starttls(self) -> None:
        port = self.dovecot(tls=True)["imap"]
        counters = self.answered(
            *(port, "--scenario=churn", "--packets=3", r"--say=a1 NOOP\r\n", "--expect=a1 OK"),
            dialect="imap",
        )
        self.seen(self.log, r"imap-login: Info: .*, TLS, ", counters["begun"])

    @tried(CHURN, "Dovecot")
    def test_by_stls(self) -> None:
        counters = self.load(self.dovecot(tls=True)["pop3"], "--scenario=churn", dialect="pop3")
        self.seen(self.log, r"pop3-login: Info: .*, TLS, ", counters["begun"])


class OfProsody(LoadCase, ProsodyCase):
    @tried(f"{CHURN}, for the domain that `--server-name` names", "Prosody")
    def test_by_starttls(self) -> None:
        port = self.prosody()
        counters = self.load(port, "--scenario=churn", f"--server-name={DOMAIN}", dialect="xmpp")
        # One connection was only to see whether it listens.
        self.seen(self.log, "TLS handshake complete", counters["begun"])
        self.seen(self.log, "Client disconnected: connection closed", counters["begun"] + 1)
