"""What `twistd` lists: the server and the load client."""

from __future__ import annotations

from twisted.application.service import ServiceMaker

server = ServiceMaker(
    "tlsdemo",
    "tlsdemo.tap",
    "A server that secures plain TCP connections, and tells what it saw.",
    "tlsdemo",
)

load_client = ServiceMaker(
    "tlsdemo load client",
    "tlsdemo.tap_client",
    "Many TLS clients at once, to put a server under load.",
    "tlsclient",
)
