"""The versions of the libraries that TLS connections depend on, and what is used of them."""

from __future__ import annotations

import platform
from importlib import metadata

from OpenSSL import SSL

from tlsdemo.tls.openssl_io import decrypts_directly
from tlsdemo.tls.openssl_output import encrypts_directly
from tlsdemo.tls.policy import DEFAULT_GROUPS
from tlsdemo.tls.verification import verifies_directly


def private_names() -> dict[str, str]:
    """Return what pyOpenSSL has no public name for, and what is used for it, by what it is for.

    Where this version of pyOpenSSL lacks a private name, something else is used.
    """
    return {
        "decryption": "SSL_read" if decrypts_directly else "pyOpenSSL's recv",
        "encryption": "SSL_write" if encrypts_directly else "pyOpenSSL's send",
        "alert for a wrong name": (
            "bad_certificate" if verifies_directly else "internal_error, as pyOpenSSL sets none"
        ),
        "groups": DEFAULT_GROUPS or "OpenSSL's own, as pyOpenSSL cannot set any",
    }


def versions() -> dict[str, str]:
    """Return the versions of Python, Twisted, pyOpenSSL, cryptography and OpenSSL, by name."""
    named = {name: metadata.version(name) for name in ("Twisted", "pyOpenSSL", "cryptography")}
    openssl = SSL.OpenSSL_version(SSL.OPENSSL_VERSION).decode().split()[1]
    return {"Python": platform.python_version(), **named, "OpenSSL": openssl}
