"""The lines that a server logs when it starts: what it serves, and what is dangerous about it."""

from __future__ import annotations

from collections.abc import Sequence

from tlsdemo.net.printable_logger import PrintableLogger
from tlsdemo.proxy.handlers import HandlerName
from tlsdemo.proxy.listening import PROXY_PREFIX
from tlsdemo.proxy.server_settings import ServerSettings

_log = PrintableLogger(namespace="tlsdemo")


def log_start(settings: ServerSettings, listening: Sequence[str], workers: int = 1) -> None:
    """Log what a server with ``settings`` serves on the endpoints ``listening``."""
    _log.info(
        "listening on {listening}; mode {mode}, dialect {dialect}, delivery {delivery}, "
        "role {role}{backend}{workers}",
        listening=", ".join(listening),
        mode=settings.connection.mode.name.value,
        dialect=f"{'auto:' if settings.auto else ''}{settings.dialect.name}",
        delivery=settings.connection.transport.delivery.value,
        role=settings.handler.value,
        backend=_backend_text(settings),
        workers=f", {workers} workers" if workers > 1 else "",
    )
    announced = [where for where in settings.listen if where.startswith(PROXY_PREFIX)]
    if announced:
        _log.info(
            "a header of the PROXY protocol is required on {announced}, and accepted from "
            "{trusted}",
            announced=", ".join(announced),
            trusted=str(settings.proxy_headers),
        )
    if settings.backend and settings.dialect.xclient and settings.introduction is None:
        _log.warn(
            "OPEN RELAY? The backend takes every client for this machine, and a mail server "
            "may relay what this machine sends (as Postfix does, by mynetworks). Tell it the "
            "client's address, with --backend-proxy=v1, v2 or xclient, or say that it need not "
            "know, with --backend-proxy=none. See docs/security.md."
        )
    settings.diagnostics.begin()
    if not settings.guard:
        _log.critical(
            "UNSAFE: plain bytes injected before TLS will pass for cleartext. "
            "For demonstration only."
        )


def _backend_text(settings: ServerSettings) -> str:
    if settings.handler is not HandlerName.PROXY:
        return ""
    return f" to {settings.backend or 'an embedded sink'}"
