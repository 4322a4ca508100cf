"""The pages in a real browser, before a server under load."""

from __future__ import annotations

import contextlib
import itertools
import signal
import socket
import ssl

from OpenSSL import SSL, crypto

from interop.peers import client_context
from tests.end_to_end.processes import TIMEOUT, port_of
from tests.proxy.test_peer_text import peer_certificate, peer_keys
from tests.web.browser import BrowserCase

WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")

HOSTILE = "<img src=x onerror='document.title=1'>\"&</li><script>document.title=2</script>"


class LivePage(BrowserCase):
    def connect(self) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", port_of(self.where)), TIMEOUT)
        secured = client_context().wrap_socket(plain, server_hostname="localhost")
        self.addCleanup(secured.close)
        return secured

    def test_shows_the_figures_of_a_server_under_load(self) -> None:
        self.served()
        self.show()
        self.wait_for("document.querySelector('#status').textContent === 'live'")
        self.load("--conn=20", "--packets=200", "--workers=1")
        self.wait_for("document.querySelector(\"td[data-figure='clean']\").textContent === '20'")
        # Rates become 0 once nothing happens any more.
        self.wait_for(
            "document.querySelector(\"td[data-figure='events_a_second']\").textContent === '0'"
        )
        told = self.get_json("figures.json")["statistics"]
        self.assertEqual(told["events"], 20 * 200)
        for name in ("opened", "secured", "clean", "probes", "events", "records"):
            self.assertEqual(self.figure(name), f"{told[name]:,}", name)
        summary = self.summary(self.running)
        self.assertIn("20 connections, 20 secured, 20 ended in order, failed 0", summary)
        self.assert_no_complaints_but_the_end()

    def assert_no_complaints_but_the_end(self) -> None:
        # The server has been stopped.
        logged = [each["message"] for each in self.driver.get_log("browser")]
        self.assertEqual([each for each in logged if "net::ERR_" not in each], [])

    def test_is_accessible_at_every_width_in_every_scheme(self) -> None:
        self.served("--role=echo")
        client = self.connect()
        client.sendall(b"hello")
        client.recv(5)
        for path, width, scheme in itertools.product(("", "connections/1"), WIDTHS, SCHEMES):
            self.show(path, width, scheme)
            self.wait_for("document.querySelector('#status').textContent !== ''")
            if not path:
                self.wait_for("document.querySelectorAll('.chart canvas').length === 7")
            self.assert_accessible()
        self.assert_no_complaints()

    def test_can_be_used_by_keyboard(self) -> None:
        self.served()
        self.show()
        self.wait_for("document.querySelector('#status').textContent === 'live'")
        keys = self.driver.switch_to.active_element
        keys.send_keys("\ue004")
        self.assertEqual(self.value("document.activeElement.className"), "skip")
        self.driver.switch_to.active_element.send_keys("\ue004")
        self.assertEqual(self.value("document.activeElement.id"), "pause")
        self.driver.switch_to.active_element.send_keys("\ue007")
        self.assertEqual(self.text("#status"), "paused")
        self.driver.switch_to.active_element.send_keys("\ue007")
        self.wait_for("document.querySelector('#status').textContent === 'live'")

    def test_says_that_a_server_which_is_frozen_does_not_answer_and_connects_again(self) -> None:
        self.served()
        self.show()
        self.wait_for("document.querySelector('#status').textContent === 'live'")
        self.running.signal(signal.SIGSTOP)
        # Ten seconds later, for the page.
        self.value("(window.now = Date.now, Date.now = () => window.now() + 11000)")
        self.wait_for("document.querySelector('#status').textContent.startsWith('no answer since')")
        self.running.signal(signal.SIGCONT)
        self.wait_for("document.querySelector('#status').textContent === 'live'")
        self.assert_no_complaints()

    def test_of_a_connection_grows_with_it(self) -> None:
        self.served("--role=echo")
        client = self.connect()
        client.sendall(b"hello")
        client.recv(5)
        self.show()
        link = self.driver.find_element("css selector", "#connections a")
        link.click()
        rows = self.wait_for("document.querySelectorAll('#diagram .row').length")
        self.assertIn("handshakeCompleted", self.text("#diagram"))
        self.wait_for("document.querySelector('#status').textContent.startsWith('secure: TLS')")
        client.sendall(b"more")
        client.recv(4)
        self.wait_for(f"document.querySelectorAll('#diagram .row').length > {rows}")
        # What is added while the diagram is being loaded is not forgotten.
        self.value(
            "(window.load = fetch, window.fetch = (...all) => "
            "{ const answer = load(...all).then(async found => new Response(await found.text())); "
            "return new Promise(done => { answer.then(() => "
            "{ window.go = () => done(answer); }); }); })"
        )
        client.sendall(b"more")
        client.recv(4)
        self.wait_for("typeof window.go === 'function'")
        client.unwrap()
        self.wait_for("document.querySelector('#status').textContent === 'closed: clean'")
        self.value("(window.fetch = window.load, window.go())")
        self.wait_for("document.querySelector('#status').textContent === 'closed: clean'")
        self.wait_for("document.querySelector('#diagram').textContent.includes('close_notify')")
        self.assert_no_complaints()

    def test_shows_what_a_peer_has_chosen_as_text(self) -> None:
        self.served("--role=echo", f"--alpn={HOSTILE}", "--dialect=smtp", "--hostname=mail.example")
        self.connect_with_hostile_names()
        self.show()
        self.wait_for("document.querySelector('#connections').textContent.includes('secure: ')")
        self.assert_harmless("#connections")
        self.show("connections/1")
        self.wait_for("document.querySelector('#status').textContent.startsWith('secure: ')")
        for selector in ("#diagram", "#status"):
            self.assert_harmless(selector)
        self.assert_no_complaints()

    def assert_harmless(self, selector: str) -> None:
        text = self.text(selector)
        self.assertGreaterEqual(text.count(HOSTILE), 2)
        # That of a certificate has backslashes in it (RFC 4514).
        self.assertGreaterEqual(text.count("document.title=2"), 3)
        self.assertEqual(self.value("document.querySelectorAll('img, li > script').length"), 0)
        self.assertNotIn(self.driver.title, ("1", "2"))

    def connect_with_hostile_names(self) -> None:
        """Connect by SMTP with hostile words, SNI, ALPN and certificate; stays open."""
        plain = socket.create_connection(("127.0.0.1", port_of(self.where)), TIMEOUT)
        self.addCleanup(plain.close)
        for said in ("", f"EHLO {HOSTILE}", "STARTTLS"):
            if said:
                plain.sendall(f"{said}\r\n".encode())
            while not plain.recv(1 << 12).endswith(b"\r\n"):
                pass
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.use_certificate(crypto.X509.from_cryptography(peer_certificate(HOSTILE)))
        context.use_privatekey(crypto.PKey.from_cryptography_key(peer_keys()[1]))
        context.set_alpn_protos([HOSTILE.encode()])
        tls = SSL.Connection(context, None)
        tls.set_tlsext_host_name(HOSTILE.encode())
        tls.set_connect_state()
        plain.settimeout(TIMEOUT)
        done = False
        while not done:
            with contextlib.suppress(SSL.WantReadError):
                tls.do_handshake()
                done = True
            with contextlib.suppress(SSL.WantReadError):
                plain.sendall(tls.bio_read(1 << 16))
            if not done:
                tls.bio_write(plain.recv(1 << 16))
