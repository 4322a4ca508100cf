"""tlsdemo as the client of an InspIRCd, which sends notices unasked."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading

from interop.attempts import tried
from interop.peers import await_port, free_port, program
from interop.test_our_client import MODES, ClientCase

_CONFIG = """
<path configdir="{home}" datadir="{home}" logdir="{home}" runtimedir="{home}">
<server name="irc.example.test" description="A server" network="Example">
<admin name="a" nick="a" email="a@example.test">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect allow="*" threshold="100" localmax="50" globalmax="50">
<files motd="{home}/inspircd.conf">
<log method="file" level="default" type="*" target="log">
<module name="cap">
"""

_TLS = """
<module name="ssl_gnutls">
<module name="starttls">
<sslprofile name="ours" provider="gnutls" certfile="{home}/cert" keyfile="{home}/key" hash="sha256">
<starttls provider="ours">
"""


class _Relay(socketserver.BaseRequestHandler):
    """Holds back what the server says until it has listed its capabilities and sent both notices.

    A slow network may deliver it like this: the second notice comes right after the capabilities,
    before the client can have answered them.
    """

    server: Relays

    def handle(self) -> None:
        with socket.create_connection(("127.0.0.1", self.server.behind)) as behind:
            threading.Thread(target=self.pass_on, args=(self.request, behind)).start()
            held = b""
            while held.count(b" NOTICE ") < 2 or b" CAP " not in held:
                held += behind.recv(4096)
            self.request.sendall(held)
            self.pass_on(behind, self.request)

    def pass_on(self, from_: socket.socket, to: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := from_.recv(4096):
                to.sendall(data)
            to.shutdown(socket.SHUT_WR)


class Relays(socketserver.ThreadingTCPServer):
    """A relay before the server at the port ``behind``."""

    daemon_threads = True

    def __init__(self, behind: int) -> None:
        self.behind = behind
        super().__init__(("127.0.0.1", 0), _Relay)


class BeforeInspIRCd(ClientCase):
    def inspircd(self, more: str = "") -> int:
        """Start it, with ``more`` settings; return its port."""
        inspircd, home, port = program("inspircd", "inspircd"), self.folder(), free_port()
        self.copy_certificate(home)
        config = home / "inspircd.conf"
        config.write_text((_CONFIG + more).format(home=home, port=port))
        self.chown(config)
        self.daemon(*self.unprivileged(), inspircd, f"--config={config}", "--nofork", "--nopid")
        await_port(port)
        return port

    @tried("secure, answered; the server sends notices unasked", "InspIRCd")
    def test_with_tls(self) -> None:
        port = self.inspircd(_TLS)
        for mode in MODES:
            options = (f"--mode={mode}",)
            secure, answered = self.run_client(
                "irc", port, *options, message=b"CAP LS\r\n"
            ).splitlines()[:2]
            self.assertIn("secure TLSv1.3", secure)
            self.assertIn("irc.example.test", answered)

    @tried("secure if the capabilities and a notice arrive at once", "InspIRCd")
    def test_through_a_slow_network(self) -> None:
        relays = Relays(self.inspircd(_TLS))
        thread = threading.Thread(target=relays.serve_forever, args=(0.02,))
        thread.start()
        for cleanup in (relays.server_close, thread.join, relays.shutdown):
            self.addCleanup(cleanup)
        for mode in MODES:
            options = (f"--mode={mode}",)
            port = int(relays.server_address[1])
            output = self.run_client("irc", port, *options, message=b"CAP LS\r\n")
            self.assertIn("secure TLSv1.3", output)
            self.assertIn("irc.example.test", output)

    @tried("a server without TLS gets nothing", "InspIRCd")
    def test_without(self) -> None:
        port = self.inspircd()
        for mode in MODES:
            output = self.run_client("irc", port, f"--mode={mode}", message=b"CAP LS\r\n")
            self.assertIn("insecure: peer offers no TLS", output)
            self.assertNotIn("answered", output)
