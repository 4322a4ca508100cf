"""FTP: our client before a vsftpd, and lftp before our server."""

from __future__ import annotations

import os
from unittest import SkipTest

from interop.attempts import tried
from interop.peers import await_port, free_port, program
from interop.test_our_client import MODES, ClientCase
from tests.support import certificates

_CONFIG = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
secure_chroot_dir={home}/empty
ssl_enable={tls}
ssl_tlsv1=YES
ssl_ciphers=HIGH
rsa_cert_file={home}/cert
rsa_private_key_file={home}/key
"""


class BeforeVsftpd(ClientCase):
    def vsftpd(self, tls: str) -> int:
        """Start it, which requires root; return its port."""
        vsftpd = program("vsftpd", "vsftpd")
        if os.geteuid() != 0:
            raise SkipTest("vsftpd only runs as root")
        port = free_port()
        (self.home / "empty").mkdir()
        self.copy_certificate(self.home)
        config = self.home / "vsftpd.conf"
        config.write_text(_CONFIG.format(home=self.home, port=port, tls=tls))
        self.start(vsftpd, str(config))
        await_port(port)
        return port

    @tried("secure, answered, verified", "vsftpd")
    def test_with_tls(self) -> None:
        port = self.vsftpd("YES")
        self.is_secure("ftp", port, "211-Features")
        self.verifies("ftp", port)

    @tried("a server without TLS gets nothing", "vsftpd")
    def test_without(self) -> None:
        self.fails_closed("ftp", self.vsftpd("NO"), "peer refused TLS")


class BeforeOurServer(ClientCase):
    @tried("AUTH TLS; the name and our CA are verified", "lftp")
    def test_lftp_becomes_secure(self) -> None:
        lftp, client = program("lftp", "lftp"), certificates().client
        for mode in MODES:
            self.running, port = self.tlsdemo_server(
                "--role=echo", "--dialect=ftp", f"--mode={mode}"
            )
            settings = {
                "ftp:ssl-force": "true",
                "ssl:ca-file": client.authority,
                "ssl:cert-file": client.certificate,
                "ssl:key-file": client.key,
                "net:max-retries": 1,
                "net:timeout": 3,
            }
            script = [f"set {name} {value}" for name, value in settings.items()]
            script += [f"open -u demo,secret -p {port} localhost", "ls"]
            # After TLS it speaks to an echo, and gives up.
            self.run_unchecked(
                *(
                    lftp,
                    "--norc",
                    "-c",
                    "; ".join([*script, f"open -u demo,secret -p {port} localhost", "ls"]),
                )
            )
            self.running.wait_for_line(" secure agreed=.*TLSv1.3.*peer=")
            self.summary(self.running)
