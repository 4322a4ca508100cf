"""The state machines of a connection, as a page: ``python -m`` prints docs/state-machines.md."""

from __future__ import annotations

import sys

from tlsdemo.proxy.proxy_handler import ProxyHandler
from tlsdemo.proxy.proxy_header_factory import ProxyHeaderProtocol
from tlsdemo.state_machine import StateMachine, diagram
from tlsdemo.tls import TLSStream, UpgradeProtocol
from tlsdemo.tls.clear_stream import ClearStream

_PAGE = """\
# State machines

What a connection goes through, from the accepted socket to the drained backend. This page is
printed by `python -m tlsdemo.cli.state_machines_page` from the tables that the code follows, and
CI checks that it is up to date.

An arrow is labelled with what happens, and behind a stroke with what is done about it. What has no
arrow in a state is ignored there. What client and server say before TLS is on a page of its own:
[dialects](dialects.md).
"""

_MACHINES: tuple[tuple[str, type[StateMachine], str], ...] = (
    (
        "The header of the PROXY protocol",
        ProxyHeaderProtocol,
        "The socket's protocol on an endpoint that begins with `haproxy:`; *passed on* is where "
        "the upgrade protocol begins.",
    ),
    (
        "The upgrade protocol",
        UpgradeProtocol,
        "The socket's protocol until TLS begins; from *switched* on, the stream is in charge.",
    ),
    (
        "The TLS stream",
        TLSStream,
        "The application's transport in every mode that encrypts. The application accepts or "
        "rejects the connection once the handshake is complete and the peer has been verified.",
    ),
    (
        "The clear stream",
        ClearStream,
        "The application's transport in mode `clear`.",
    ),
    (
        "The proxy handler",
        ProxyHandler,
        "Between a client that is secure and its plain backend.",
    ),
)


def page() -> str:
    """Return the page, in Markdown."""
    sections = (
        f"## {title}\n\n{text}\n\n```mermaid\n{diagram(machine)}```\n"
        for title, machine, text in _MACHINES
    )
    return "\n".join([_PAGE, *sections])


if __name__ == "__main__":
    sys.stdout.write(page())
