"""``python -m bench.peers.twisted_stock PORT CERT KEY [CA]``: nothing but Twisted.

Twisted's port forwarder, ``CertificateOptions`` and ``startTLS``: the smallest possible proxy in
Twisted, which shows what tlsdemo's classes add.  PORT is the plain backend's; with a CA, clients
must have a certificate.  Prints
``{"port": …, "versions": …}``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from twisted.internet import reactor as default_reactor
from twisted.internet.ssl import Certificate, CertificateOptions, PrivateCertificate
from twisted.protocols.portforward import ProxyFactory, ProxyServer

from tlsdemo.net.limits import raise_descriptor_limit
from tlsdemo.tls import versions

BACKLOG = 4096

reactor: Any = default_reactor


class StartTLSProxy(ProxyServer):
    """Secures the accepted connection, and forwards it."""

    options: CertificateOptions
    transport: Any

    def connectionMade(self) -> None:
        """Start TLS, and connect to the backend at the same time."""
        self.transport.startTLS(self.options)
        super().connectionMade()


def main(backend: str, certificate: str, key: str, authority: str = "") -> None:
    """Serve until the process is terminated."""
    own = PrivateCertificate.loadPEM(Path(certificate).read_bytes() + Path(key).read_bytes())
    authorities = [Certificate.loadPEM(Path(authority).read_bytes())] if authority else []
    StartTLSProxy.options = own.options(*authorities)
    factory = ProxyFactory("127.0.0.1", int(backend))
    factory.protocol = StartTLSProxy
    port = reactor.listenTCP(0, factory, backlog=BACKLOG, interface="127.0.0.1")
    print(json.dumps({"port": port.getHost().port, "versions": versions()}), flush=True)
    reactor.run()


if __name__ == "__main__":
    raise_descriptor_limit()
    main(*sys.argv[1:5])
