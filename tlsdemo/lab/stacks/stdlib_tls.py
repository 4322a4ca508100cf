"""What the peers of the standard library share: contexts, facts, and a loop that tells all."""

from __future__ import annotations

import asyncio
import gc
import platform
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from tlsdemo.lab.stacks.journal import Fact, Journal, said
from tlsdemo.lab.stacks.stack_config import Auth, StackConfig

LINGER = 0.05
"""Seconds for what may still come after the last event, such as an exception nobody took."""

_VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}
_VERIFY = {
    Auth.REQUIRED: ssl.CERT_REQUIRED,
    Auth.OPTIONAL: ssl.CERT_OPTIONAL,
    Auth.NONE: ssl.CERT_NONE,
}

Serve = Callable[[socket.socket, Journal, ssl.SSLContext, StackConfig], Awaitable[None]]


def versions() -> dict[str, str]:
    """Return the versions that decide how these peers behave."""
    return {"Python": platform.python_version(), "OpenSSL": ssl.OPENSSL_VERSION}


def server_context(config: StackConfig) -> ssl.SSLContext:
    """Return the standard library's context for a server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[config.minimum]
    context.maximum_version = _VERSIONS[config.maximum]
    context.load_cert_chain(config.certificate, config.key)
    if config.authority:
        context.load_verify_locations(config.authority)
    context.verify_mode = _VERIFY[config.client_auth]
    if config.alpn:
        context.set_alpn_protocols(list(config.alpn))
    return context


def facts_of(transport: Any) -> dict[str, Fact]:
    """Return what a transport knows of its TLS at this moment."""
    try:
        secured = transport and transport.get_extra_info("ssl_object")
    except AttributeError:  # of a transport that has lost its TLS (Python 3.11)
        secured = None
    if not secured:
        return {"peer": False}
    try:
        peer = bool(secured.getpeercert(binary_form=True))
    except ValueError:  # the handshake is not done yet
        peer = False
    return {"peer": peer, "alpn": secured.selected_alpn_protocol()}


def serve_one(serve: Serve) -> None:
    """Run a program: ``serve`` has one connection, and what it raises is an event as well."""
    config = StackConfig.from_json(sys.argv[1])
    journal = Journal()
    journal.take_logs()
    asyncio.run(_serve_one(serve, journal, config))


async def _serve_one(serve: Serve, journal: Journal, config: StackConfig) -> None:
    def handle(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        text = context["message"]
        journal.record("exception handler", f"{text}: {said(error)}" if error else text)

    asyncio.get_running_loop().set_exception_handler(handle)
    context = server_context(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        journal.begin(listening.getsockname()[1], versions())
        listening.setblocking(False)
        try:
            await asyncio.wait_for(serve(listening, journal, context, config), config.timeout)
        except asyncio.TimeoutError:
            journal.record("timed out")
    gc.collect()
    await asyncio.sleep(LINGER)
