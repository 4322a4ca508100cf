"""Plain mail servers, aiosmtpd, Postfix and Dovecot, and a message that is hard to parse."""

from __future__ import annotations

import os
import shutil
import ssl
import tempfile
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from unittest import SkipTest

from interop.peers import InteropCase, await_port, free_port, module, program
from tests.support import certificates

BODY = """Lines that are commands in the protocols:
STARTTLS
STLS
.
..
250 STARTTLS
QUIT
* CAPABILITY IMAP4rev1 STARTTLS
a1 OK [CAPABILITY STARTTLS LOGINDISABLED] Logged in
a1 STARTTLS
+ go ahead {5}
{5+}
The end.
"""

PASSWORD = "secret"


def message() -> EmailMessage:
    """Return a message whose lines look like lines of the protocols."""
    made = EmailMessage()
    made["From"], made["To"] = "one@example.test", "two@example.test"
    made["Subject"] = "STARTTLS"
    made.set_content(BODY)
    return made


class Mailbox:
    """The handler of aiosmtpd, which keeps the messages."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep a message."""
        self.contents.append(envelope.content)
        return "250 OK"


class SmtpBackendCase(InteropCase):
    """Runs an aiosmtpd."""

    def aiosmtpd(self, tls: bool = False) -> tuple[Mailbox, int]:
        """Start it; it offers STARTTLS only with ``tls``.  Return its handler and its port."""
        controller = module("aiosmtpd.controller", "aiosmtpd")
        mailbox, port = Mailbox(), free_port()
        options: dict[str, Any] = {}
        if tls:
            server: Any = certificates().server
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(server.certificate, server.key)
            options = {"tls_context": context, "require_starttls": True}
        running = controller.Controller(mailbox, hostname="127.0.0.1", port=port, **options)
        running.start()
        self.addCleanup(running.stop)
        return mailbox, port


_POSTFIX = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
maillog_file = {home}/log
maillog_file_prefixes = {home}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
myhostname = postfix.example.test
mydestination = example.test
local_recipient_maps =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_tls_security_level = {tls}
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
"""

_POSTFIX_SERVICES = """
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class PostfixCase(InteropCase):
    """Runs a Postfix, which requires root."""

    def postfix(self, tls: bool = False, more: str = "") -> int:
        """Start it, with ``more`` settings; it offers and requires TLS only with ``tls``.

        Return its port.
        """
        postfix = program("postfix", "postfix")
        if os.geteuid() != 0:
            raise SkipTest("Postfix only runs as root")
        home, port = Path(tempfile.mkdtemp(prefix="tlsdemo-interop-")), free_port()
        self.postfix_home = home
        self.addCleanup(shutil.rmtree, home, ignore_errors=True)
        home.chmod(0o755)
        for name in ("conf", "queue", "data"):
            (home / name).mkdir(mode=0o700 if name == "data" else 0o755)
        shutil.chown(home / "data", "postfix")
        server = certificates().server
        settings = _POSTFIX.format(
            home=home, tls="encrypt" if tls else "none",
            certificate=server.certificate, key=server.key,
        )  # fmt: skip
        (home / "conf" / "main.cf").write_text(settings + more)
        (home / "conf" / "master.cf").write_text(_POSTFIX_SERVICES.format(port=port))
        server_process = self.start(postfix, "-c", str(home / "conf"), "start-fg")
        self.addCleanup(server_process.wait)
        self.addCleanup(self.run_unchecked, postfix, "-c", str(home / "conf"), "stop")
        await_port(port)
        return port


_DOVECOT = """
base_dir = {home}/run
state_dir = {home}/state
log_path = {home}/log
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{home}/mail
disable_plaintext_auth = no
auth_mechanisms = plain login
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={home}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
protocol imap {{
  mail_plugins = imap_zlib zlib
}}
namespace inbox {{
  inbox = yes
}}
ssl = {tls}
ssl_cert = <{home}/cert
ssl_key = <{home}/key
"""


_SERVERS = {"imap": "imap", "pop3": "pop3", "lmtp": "lmtp", "sieve": "managesieve"}

_ALSO = {
    "lmtp": """
protocols = $protocols lmtp
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
""",
    "sieve": """
protocols = $protocols sieve
service managesieve-login {{
  chroot =
  inet_listener sieve {{
    port = {port}
  }}
}}
""",
}


class DovecotCase(InteropCase):
    """Runs a Dovecot; the password of every user is PASSWORD, and they share one mailbox."""

    def dovecot(
        self, tls: bool = False, also: tuple[str, ...] = (), more: str = ""
    ) -> dict[str, int]:
        """Start it, with ``more`` settings; it offers TLS only with ``tls``.

        Return the ports by dialect.  ``also``: "lmtp" and "sieve", if they are wanted beside "imap"
        and "pop3".
        """
        dovecot = program("dovecot", "dovecot-imapd dovecot-pop3d")
        home = self.folder()
        self.copy_certificate(home)
        # With a protocol that it lacks, it does not start.
        for protocol in ("imap", "pop3", *also):
            if not Path("/usr/lib/dovecot", _SERVERS[protocol]).exists():
                package = f"dovecot-{_SERVERS[protocol]}d"
                raise SkipTest(f"Dovecot has no {protocol}: apt-get install {package}")
        ports = {dialect: free_port() for dialect in ("imap", "pop3", *also)}
        config = home / "dovecot.conf"
        config.write_text(
            _DOVECOT.format(
                home=home, user=home.owner(), group=home.group(), password=PASSWORD,
                tls="yes" if tls else "no", **ports,
            )
            + "".join(_ALSO[protocol].format(port=ports[protocol]) for protocol in also)
            + more
        )  # fmt: skip
        self.daemon(*self.unprivileged(), dovecot, "-F", "-c", str(self.chown(config)))
        self.log = home / "log"
        self.mail = home / "mail"
        for port in ports.values():
            await_port(port)
        return ports

    def deliver(self, content: bytes) -> None:
        """Put a message into the mailbox."""
        folder = self.mail / "new"
        for each in (self.mail, folder, self.mail / "cur", self.mail / "tmp"):
            each.mkdir(mode=0o700, exist_ok=True)
            self.chown(each)
        path = Path(folder / f"1.{len(list(folder.iterdir()))}.here")
        path.write_bytes(content)
        self.chown(path)
