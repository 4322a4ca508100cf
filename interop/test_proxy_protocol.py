"""HAProxy before tlsdemo, and mail servers behind it that have to know the client's address."""

from __future__ import annotations

import imaplib
import poplib
import re
import smtplib
import socket
from typing import Any

from interop.attempts import tried
from interop.mail import PASSWORD, DovecotCase, PostfixCase
from interop.peers import InteropCase, await_port, client_context, free_port, program
from tests.end_to_end.processes import wait_for_text

CLIENT = "127.0.0.7"
"""The address of our clients; nobody trusts it, whereas this host is 127.0.0.1."""

_HAPROXY = """
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen in
  bind 127.0.0.1:{port}
  server s 127.0.0.1:{behind} {options}
"""


class HAProxyCase(InteropCase):
    def haproxy(self, behind: int, options: str) -> int:
        """Start a HAProxy before the port ``behind``; return its own port."""
        haproxy, port = program("haproxy", "haproxy"), free_port()
        config = self.folder() / "haproxy.cfg"
        config.write_text(_HAPROXY.format(port=port, behind=behind, options=options))
        self.daemon(haproxy, "-db", "-f", str(self.chown(config)))
        await_port(port)
        return port


def connected(port: int) -> socket.socket:
    """Return a connection from ``CLIENT``."""
    return socket.create_connection(("127.0.0.1", port), timeout=20, source_address=(CLIENT, 0))


class BehindHAProxy(HAProxyCase):
    @tried("the PROXY protocol, versions 1 and 2: the client's address is known", "HAProxy")
    def test_every_mode_knows_the_client(self) -> None:
        for mode in ("starttls", "pair", "wrapped", "clear"):
            for version in ("send-proxy", "send-proxy-v2", "send-proxy-v2-ssl-cn"):
                server, behind = self.tlsdemo_server(
                    *(f"--mode={mode}", "--role=echo", "--proxy-protocol", "--drain-timeout=0"),
                )
                with connected(self.haproxy(behind, version)) as plain:
                    client: Any = plain
                    if mode != "clear":
                        client = client_context().wrap_socket(plain, server_hostname="localhost")
                    client.sendall(b"hello")
                    self.assertEqual(client.recv(5), b"hello")
                    server.wait_for_line(rf"#\d {CLIENT}:\d+ .* connected")
                self.summary(server)

    @tried("health checks (`LOCAL`)", "HAProxy")
    def test_health_checks_are_on_behalf_of_haproxy(self) -> None:
        server, behind = self.tlsdemo_server("--role=echo", "--proxy-protocol", "--drain-timeout=0")
        self.haproxy(behind, "send-proxy-v2 check inter 100")
        server.wait_for_line(r"#5 127\.0\.0\.1:\d+ .* connected")

    @tried("a connection without a header of the PROXY protocol is refused", "HAProxy")
    def test_without_a_header_it_is_refused(self) -> None:
        server, behind = self.tlsdemo_server("--role=echo", "--proxy-protocol", "--drain-timeout=0")
        with connected(self.haproxy(behind, "")) as plain, self.assertRaises(OSError):
            client_context().wrap_socket(plain, server_hostname="localhost")
        server.wait_for_line("failed: PROXY header refused: instead of a header came ")


class BeforePostfix(PostfixCase):
    """Postfix relays mail for this host (``mynetworks``)."""

    def relayed(self, settings: str, *options: str, xclient: bool = False) -> int:
        """Return the code with which Postfix answers a recipient elsewhere."""
        behind = self.postfix(more=f"mynetworks = 127.0.0.1/32\n{settings}\n")
        port = self.proxy("smtp", behind, *options)
        with smtplib.SMTP("localhost", port, timeout=20, source_address=(CLIENT, 0)) as client:
            client.starttls(context=client_context())
            client.ehlo()
            self.assertFalse(client.has_extn("xclient") or client.has_extn("xforward"))
            if xclient:
                self.assertEqual(client.docmd("XCLIENT", "ADDR=127.0.0.1")[0], 500)
            self.assertEqual(client.mail("one@example.test")[0], 250)
            return client.rcpt("two@elsewhere.test")[0]

    @tried("an open relay without `--backend-proxy`, with a warning", "smtplib", "Postfix")
    def test_without_an_introduction_it_relays_for_everybody_and_we_warn(self) -> None:
        self.assertEqual(self.relayed(""), 250)
        self.running.wait_for_line("OPEN RELAY")

    @tried("no open relay with `--backend-proxy=v1` and `v2`", "smtplib", "Postfix")
    def test_a_header_ends_that(self) -> None:
        for version in ("v1", "v2"):
            settings = "smtpd_upstream_proxy_protocol = haproxy"
            self.assertEqual(self.relayed(settings, f"--backend-proxy={version}"), 454)
            self.assertNotIn("OPEN RELAY", self.summary(self.running))

    @tried("no open relay with `--backend-proxy=xclient`", "smtplib", "Postfix")
    def test_xclient_ends_that(self) -> None:
        settings = "smtpd_authorized_xclient_hosts = 127.0.0.1"
        self.assertEqual(self.relayed(settings, "--backend-proxy=xclient", xclient=True), 454)

    @tried("`XCLIENT` of a client is refused", "smtplib", "Postfix")
    def test_a_client_cannot_use_xclient_itself(self) -> None:
        settings = """
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_authorized_xforward_hosts = 127.0.0.1
mynetworks = 192.0.2.0/24
"""
        self.assertEqual(self.relayed(settings, "--backend-proxy=none", xclient=True), 454)

    @tried("no client is served if `XCLIENT` is not offered", "smtplib", "Postfix")
    def test_without_xclient_no_client_is_served(self) -> None:
        with self.assertRaises((OSError, smtplib.SMTPServerDisconnected)):
            self.relayed("", "--backend-proxy=xclient")
        self.running.wait_for_line("failed: backend refused: the backend does not offer us XCLIENT")


_HAPROXY_LISTENERS = """
disable_plaintext_auth = {secure}
haproxy_trusted_networks = 127.0.0.1/32
service imap-login {{
  inet_listener imap {{
    haproxy = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    haproxy = yes
  }}
}}
"""

_LMTP = """
login_trusted_networks = 127.0.0.1/32
lmtp_verbose_replies = yes
"""


class Imap(imaplib.IMAP4):
    """A client that connects from ``CLIENT``."""

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return connected(self.port)


class Pop3(poplib.POP3):
    """A client that connects from ``CLIENT``."""

    def _create_socket(self, timeout: float) -> socket.socket:
        return connected(self.port)


class BeforeDovecot(DovecotCase):
    def logged(self) -> str:
        return self.log.read_text()

    def log_in(self, version: str, secure: str) -> None:
        """Log in to a Dovecot, whether it requires TLS of the client (``secure``) or not."""
        ports = self.dovecot(more=_HAPROXY_LISTENERS.format(secure=secure))
        option = f"--backend-proxy={version}"
        imap = Imap("localhost", self.proxy("imap", ports["imap"], option))
        imap.starttls(client_context())
        imap.login("demo", PASSWORD)
        imap.logout()
        self.summary(self.running)
        pop3 = Pop3("localhost", self.proxy("pop3", ports["pop3"], option))
        pop3.stls(client_context())
        pop3.user("demo")
        pop3.pass_(PASSWORD)
        pop3.quit()
        # Dovecot's log has a process of its own.
        for dialect in ("imap", "pop3"):
            wait_for_text(self.log, f"{dialect}-login: Info: Login: ")
        self.assertEqual(self.logged().count(f"rip={CLIENT}, "), 2)

    @tried("the client's address by `--backend-proxy=v1`", "imaplib", "poplib", "Dovecot")
    def test_a_header_of_version_1_says_who_has_logged_in(self) -> None:
        self.log_in("v1", secure="no")

    @tried("the client's address and TLS by `--backend-proxy=v2`", "imaplib", "poplib", "Dovecot")
    def test_a_header_of_version_2_also_says_that_it_was_by_tls(self) -> None:
        self.log_in("v2", secure="yes")

    @tried("the client's address by `--backend-proxy=xclient`", "smtplib", "Dovecot")
    def test_xclient_says_who_delivers_by_lmtp(self) -> None:
        ports = self.dovecot(also=("lmtp",), more=_LMTP)
        where = self.proxy("lmtp", ports["lmtp"], "--backend-proxy=xclient")
        with smtplib.LMTP("localhost", where, source_address=(CLIENT, 0)) as client:
            client.starttls(context=client_context())
            client.ehlo()
            self.assertEqual(client.mail("one@example.test")[0], 250)
        # Dovecot's log has a process of its own.
        wait_for_text(self.log, re.escape(CLIENT))
