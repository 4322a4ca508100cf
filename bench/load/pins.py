"""What every peer has to negotiate: the load offers nothing else, so no peer can choose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from OpenSSL import SSL

from bench.child import CannotMeasure
from tlsdemo.tls.groups import set_groups

VERSION = "TLSv1.3"
CIPHER = "TLS_AES_256_GCM_SHA384"
X25519 = "X25519"
HYBRID = "X25519MLKEM768"


@dataclass(frozen=True)
class Pins:
    """The group of the key exchange, and whether the client has a certificate.

    Version and cipher are the same for all; the server's certificate is an ECDSA one of P-256,
    like the client's, since both are made for the run.
    """

    group: str = X25519
    client_certificate: bool = True

    def client_context(self, certificate: Path | None, key: Path | None) -> SSL.Context:
        """Return a context that offers this and nothing else."""
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        context.set_min_proto_version(SSL.TLS1_3_VERSION)
        context.set_max_proto_version(SSL.TLS1_3_VERSION)
        # Older versions of pyOpenSSL cannot; then the first of OpenSSL's own list is the same.
        if hasattr(context, "set_tls13_ciphersuites"):
            context.set_tls13_ciphersuites(CIPHER.encode())
        if not set_groups(context, self.group):
            raise CannotMeasure(f"the load's own OpenSSL has no group {self.group}")
        if self.client_certificate:
            context.use_certificate_chain_file(str(certificate))
            context.use_privatekey_file(str(key))
        return context
