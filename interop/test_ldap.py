"""LDAP: Java's JNDI before our server, our client before a slapd, and a slapd behind the proxy."""

from __future__ import annotations

from pathlib import Path

from interop.attempts import tried
from interop.peers import await_port, free_port, program
from interop.test_our_client import MODES, ClientCase
from tests.support import certificates

_CONFIG = """
include /etc/ldap/schema/core.schema
modulepath /usr/lib/ldap
moduleload back_ldif
authz-regexp uid=demo,cn=digest-md5,cn=auth cn=demo,dc=example,dc=test
password-hash {{CLEARTEXT}}
database ldif
suffix dc=example,dc=test
directory {home}/data
"""

_TLS = """
TLSCertificateFile {home}/cert
TLSCertificateKeyFile {home}/key
"""

_ENTRIES = """
dn: dc=example,dc=test
objectClass: dcObject
objectClass: organization
dc: example
o: example

dn: cn=demo,dc=example,dc=test
objectClass: person
cn: demo
sn: demo
userPassword: secret
"""

_BIND = bytes.fromhex("300c020101600702010304008000")
"""An anonymous bind request (RFC 4511, section 4.2)."""


class LdapCase(ClientCase):
    def slapd(self, more: str = "") -> int:
        """Start an OpenLDAP slapd, with ``more`` settings; return its port."""
        slapd, slapadd = program("slapd", "slapd"), program("slapadd", "slapd")
        home, port = self.folder(), free_port()
        self.copy_certificate(home)
        (home / "data").mkdir()
        config, entries = home / "slapd.conf", home / "entries"
        config.write_text((more + _CONFIG).format(home=home))
        entries.write_text(_ENTRIES)
        for path in home.iterdir():
            self.chown(path)
        as_nobody = self.unprivileged()
        self.run_command(*as_nobody, slapadd, "-f", str(config), "-l", str(entries))
        url = f"ldap://127.0.0.1:{port}"
        self.daemon(*as_nobody, slapd, "-f", str(config), "-h", url, "-d", "0")
        await_port(port)
        return port


class JndiTests(LdapCase):
    @tried("StartTLS with a control that is not critical; the name is verified", "Java JNDI")
    def test_becomes_secure(self) -> None:
        java = program("java", "default-jre-headless")
        program_text = Path(__file__).with_name("JndiStartTls.java")
        for mode in MODES:
            self.running, port = self.tlsdemo_server(
                *("--role=echo", "--dialect=ldap", "--client-auth=none", f"--mode={mode}")
            )
            out = self.run_command(
                *(java, str(program_text), f"ldap://localhost:{port}"),
                str(certificates().authority),
            )
            self.assertEqual(out.decode().strip(), "secure TLSv1.3")
            self.assertIn("summary: 1 connections, 1 secured", self.summary(self.running))


class SlapdTests(LdapCase):
    @tried("secure, answered, verified", "OpenLDAP slapd")
    def test_our_client_before_a_slapd_with_tls(self) -> None:
        port = self.slapd(_TLS)
        for mode in MODES:
            output = self.run_client("ldap", port, f"--mode={mode}", message=_BIND)
            self.assertIn("secure TLSv1.3", output)
            self.assertIn(r"answered b'0\x0c\x02\x01\x01a\x07\n\x01\x00", output)
        output = self.run_client("ldap", port, "--name=elsewhere.example.test", message=_BIND)
        self.assertIn("insecure: wrong name", output)

    @tried("a server without TLS gets nothing", "OpenLDAP slapd")
    def test_our_client_before_a_slapd_without_tls(self) -> None:
        port = self.slapd()
        for mode in MODES:
            output = self.run_client("ldap", port, f"--mode={mode}", message=_BIND)
            self.assertEqual(output.count("\n"), 1)
            self.assertIn("insecure: peer refused TLS", output)

    @tried(
        "ldaps, and in it DIGEST-MD5 with a security layer of 128 bits",
        "ldapsearch",
        "OpenLDAP slapd",
    )
    def test_a_security_layer_within_tls(self) -> None:
        search = program("ldapsearch", "ldap-utils")
        client = certificates().client
        behind = self.slapd()
        for mode in (*MODES, "wrapped"):
            port = self.proxy("immediate", behind, f"--mode={mode}")
            out = self.run_command(
                *(search, "-H", f"ldaps://127.0.0.1:{port}", "-LLL", "-b", "dc=example,dc=test"),
                *("-Y", "DIGEST-MD5", "-U", "demo", "-w", "secret", "-O", "minssf=128"),
                env={
                    "LDAPTLS_CACERT": str(client.authority),
                    "LDAPTLS_CERT": str(client.certificate),
                    "LDAPTLS_KEY": str(client.key),
                    "LDAPTLS_REQCERT": "demand",
                },
            )
            self.assertIn(b"dn: cn=demo,dc=example,dc=test", out)
            self.assert_all_closed_cleanly(1)
