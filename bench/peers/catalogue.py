"""The catalogue of peers: the proxies that are measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.peers import configurations
from bench.peers.programs import Start, configured, python, script
from bench.peers.setup import Peer, Running, Setup
from bench.peers.tlsdemo_server import tlsdemo_peer

_NODE = str(Path(__file__).resolve().parent / "node_proxy.js")

NODE = ("node-tlssocket", "node-securepair")
"""The two proxies of the original demonstration."""

_ASYNCIO = "bench.peers.asyncio_proxy"
_NGINX = configured("nginx", ["-e", "stderr", "-c"], configurations.nginx, "-V")


def _with_workers(start: Start, workers: int) -> Start:
    def started(setup: Setup) -> Running:
        return start(replace(setup, workers=workers))

    return started


PEERS = {
    peer.name: peer
    for peer in (
        tlsdemo_peer("pair", "tlsdemo, mode pair, delivery coalesced", "pair", "coalesced"),
        tlsdemo_peer(
            "starttls-coalesced", "tlsdemo, mode starttls, delivery coalesced",
            "starttls", "coalesced",
        ),
        tlsdemo_peer("starttls", "tlsdemo, mode starttls, delivery record", "starttls", "record"),
        Peer(
            "twisted-stock",
            "Twisted's port forwarder with startTLS, without tlsdemo",
            python("bench.peers.twisted_stock"),
        ),
        Peer("asyncio", "asyncio, loop.start_tls()", python(_ASYNCIO, "asyncio")),
        Peer("asyncio-uvloop", "the same, with uvloop", python(_ASYNCIO, "uvloop")),
        Peer("aiofastnet", "the same, with aiofastnet", python(_ASYNCIO, "aiofastnet")),
        Peer(NODE[0], "Node, new tls.TLSSocket()", script("node", _NODE, "tlssocket")),
        Peer(NODE[1], "Node, tls.createSecurePair()", script("node", _NODE, "securepair")),
        Peer("nginx", "its stream module, one process", _NGINX),
        Peer(
            "haproxy",
            "mode tcp, one thread",
            configured("haproxy", ["-db", "-f"], configurations.haproxy, "-vv"),
        ),
        Peer(
            "stunnel",
            "one process, a thread for each connection",
            configured("stunnel", [], configurations.stunnel, "-version"),
        ),
        # Variants, for one question each: the reactor, and more than one process.
        tlsdemo_peer(
            "pair-asyncio", "tlsdemo, pair with twistd --reactor=asyncio", "pair", "coalesced",
            reactor="asyncio", variant=True,
        ),
        tlsdemo_peer(
            "pair-uvloop", "tlsdemo, the same with uvloop", "pair", "coalesced",
            reactor="uvloop", variant=True,
        ),
        tlsdemo_peer(
            "pair-2-workers", "tlsdemo, pair with --workers=2", "pair", "coalesced",
            workers=2, variant=True,
        ),
        Peer("nginx-2-workers", "nginx, two processes", _with_workers(_NGINX, 2), variant=True),
    )
}  # fmt: skip
"""By name, in the order in which they are measured."""


def baseline_of(name: str, checkout: Path) -> Peer:
    """Return ``pair`` or ``starttls-coalesced`` of another checkout."""
    mode = "pair" if name == "pair" else "starttls"
    return tlsdemo_peer(
        f"{name}-baseline", f"{name} of {checkout}", mode, "coalesced", checkout=checkout
    )
