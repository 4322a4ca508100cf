"""The versions that decide how everything here behaves."""

from __future__ import annotations

import platform
from importlib import metadata

from OpenSSL import SSL


def versions() -> dict[str, str]:
    """Return the version of Python, OpenSSL and each library that securing depends on."""
    named = {name: metadata.version(name) for name in ("Twisted", "pyOpenSSL", "cryptography")}
    openssl = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode().split()[1]
    return {"Python": platform.python_version(), **named, "OpenSSL": openssl}
