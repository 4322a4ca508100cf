"""tlsdemo as the client of a Prosody whose domain is not the name of its machine."""

from __future__ import annotations

import trustme

from interop.attempts import tried
from interop.peers import InteropCase, await_port, free_port, program
from interop.test_our_client import MODES, ClientCase
from tests.support import certificates

DOMAIN = "chat.example.test"

_CONFIG = """
modules_enabled = {{ "tls", "saslauth" }}
modules_disabled = {{ "s2s" }}
pidfile = "{home}/pid"
data_path = "{home}"
certificates = "{home}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
c2s_require_encryption = true
log = {{ debug = "{home}/log" }}
VirtualHost "{domain}"
ssl = {{ certificate = "{home}/cert", key = "{home}/key" }}
"""


class ProsodyCase(InteropCase):
    """Runs a Prosody; ``log`` is the path of its log."""

    def prosody(self) -> int:
        """Start it; return its port."""
        prosody, home, port = program("prosody", "prosody"), self.folder(), free_port()
        authority = certificates().authority
        issuer = trustme.CA.from_pem(
            authority.read_bytes(), authority.with_suffix(".key").read_bytes()
        )
        issued = issuer.issue_cert(DOMAIN)
        (home / "cert").write_bytes(issued.cert_chain_pems[0].bytes())
        (home / "key").write_bytes(issued.private_key_pem.bytes())
        config = home / "prosody.cfg.lua"
        config.write_text(_CONFIG.format(home=home, port=port, domain=DOMAIN))
        for path in home.iterdir():
            self.chown(path)
        self.log = home / "log"
        self.daemon(*self.unprivileged(), prosody, "-F", "--config", str(config))
        await_port(port)
        return port


class BeforeProsody(ClientCase, ProsodyCase):
    @tried("secure for the domain that `--server-name` names", "Prosody")
    def test_for_its_domain(self) -> None:
        port = self.prosody()
        for mode in MODES:
            _, output = self.load("xmpp", port, f"--server-name={DOMAIN}", f"--mode={mode}")
            self.assertIn("3 connections: 3 secured in", output)

    @tried("a domain that the server does not have is refused", "Prosody")
    def test_for_another_domain(self) -> None:
        _, output = self.load("xmpp", self.prosody(), "--server-name=localhost")
        self.assertIn("no connection was secured", output)
        self.assertIn("peer refused TLS", output)
