"""The versions of the libraries that TLS connections depend on."""

from __future__ import annotations

import platform
from importlib import metadata

from OpenSSL import SSL


def versions() -> dict[str, str]:
    """Return the versions of Python, Twisted, pyOpenSSL, cryptography and OpenSSL, by name."""
    named = {name: metadata.version(name) for name in ("Twisted", "pyOpenSSL", "cryptography")}
    openssl = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode().split()[1]
    return {"Python": platform.python_version(), **named, "OpenSSL": openssl}
