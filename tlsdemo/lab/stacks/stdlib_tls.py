"""What the asyncio stacks share: TLS contexts, facts, and the event loop."""

from __future__ import annotations

import asyncio
import gc
import platform
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tlsdemo.lab.stacks.journal import Fact, Journal, error_text
from tlsdemo.lab.stacks.stack_config import LINGER, Auth, StackConfig

_VERIFY = {
    Auth.REQUIRED: ssl.CERT_REQUIRED,
    Auth.OPTIONAL: ssl.CERT_OPTIONAL,
    Auth.NONE: ssl.CERT_NONE,
}

Serve = Callable[[socket.socket, Journal, ssl.SSLContext, StackConfig], Awaitable[None]]


def versions() -> dict[str, str]:
    """Return the versions that determine how these stacks behave."""
    return {"Python": platform.python_version(), "OpenSSL": ssl.OPENSSL_VERSION}


def server_context(config: StackConfig) -> ssl.SSLContext:
    """Return a server's context of the standard library."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = config.tls_versions
    context.load_cert_chain(config.certificate, config.key)
    if config.authority:
        context.load_verify_locations(config.authority)
    context.verify_mode = _VERIFY[config.client_auth]
    if config.alpn:
        context.set_alpn_protocols(list(config.alpn))
    return context


def facts_of(transport: Any) -> dict[str, Fact]:
    """Return what a transport knows about its TLS at this moment."""
    try:
        secured = transport and transport.get_extra_info("ssl_object")
    except AttributeError:  # The transport has lost its TLS (Python 3.11).
        secured = None
    if not secured:
        return {"peer": False}
    try:
        peer = bool(secured.getpeercert(binary_form=True))
    except ValueError:  # The handshake is not complete yet.
        peer = False
    return {"peer": peer, "alpn": secured.selected_alpn_protocol()}


def serve_one(serve: Serve) -> None:
    """Run a program that serves one connection; exceptions of the loop are events too."""
    config = StackConfig.from_json(sys.argv[1])
    journal = Journal()
    journal.capture_logs()
    asyncio.run(_serve_one(serve, journal, config))


async def _serve_one(serve: Serve, journal: Journal, config: StackConfig) -> None:
    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        text = context["message"]
        journal.record("exception handler", f"{text}: {error_text(error)}" if error else text)

    asyncio.get_running_loop().set_exception_handler(handle)
    context = server_context(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        journal.begin(listening.getsockname()[1], versions())
        listening.setblocking(False)
        try:
            await asyncio.wait_for(serve(listening, journal, context, config), config.timeout)
        except asyncio.TimeoutError:
            journal.record("timed out")
    # An exception that was never retrieved is logged when its future is collected.
    gc.collect()
    await asyncio.sleep(LINGER)
