"""Who may see the pages: this machine, or whoever knows the token.

Any page that a browser of this machine has open can send requests to a loopback address.  It cannot
read the answers, unless the name of its own site is made to resolve to that address (DNS
rebinding).  So without a token, the header ``Host`` has to name this machine, and a request that
names another ``Origin`` is refused in any case.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from twisted.web import http

HEALTH = (b"/healthz", b"/readyz")
"""Paths that need no token, because what asks for them has none; they tell nothing else."""

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
    "Server": "tlsdemo",
}
"""What every answer tells a browser: no other origin may read it, and nothing inline is run."""


class Refused(Exception):
    """A request is refused, with this HTTP status and text."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Door:
    """Checks requests.

    ``token``: what a request has to know, as the password of HTTP's basic authentication or as a
    bearer token; ``None`` if everybody on this machine may see the pages.
    """

    def __init__(self, token: str | None = None) -> None:
        self._token = None if token is None else token.encode()

    def check(self, request: Any) -> None:
        """Raise `Refused` if ``request`` may not be answered."""
        host = header(request, "Host").lower()
        if self._token is None:
            if not is_this_machine(host):
                raise Refused(
                    http.FORBIDDEN,
                    "these pages are for this machine: use http://localhost or http://127.0.0.1, "
                    "or start the server with --web-token",
                )
        elif request.path not in HEALTH and not self._knows_token(request):
            request.setHeader("WWW-Authenticate", 'Basic realm="tlsdemo", charset="UTF-8"')
            raise Refused(
                http.UNAUTHORIZED,
                "give the token of --web-token as the password; the user name does not matter",
            )
        origin = header(request, "Origin").lower()
        if origin and _host_of(origin) != host:
            raise Refused(http.FORBIDDEN, "the pages of other origins may not read this")

    def _knows_token(self, request: Any) -> bool:
        assert self._token is not None
        scheme, _, given = header(request, "Authorization").partition(" ")
        if scheme.lower() == "basic":
            try:
                _, _, password = base64.b64decode(given, validate=True).partition(b":")
            except (binascii.Error, ValueError):
                return False
        elif scheme.lower() == "bearer":
            password = given.strip().encode("latin-1")
        else:
            return False
        return hmac.compare_digest(password, self._token)


def header(request: Any, name: str) -> str:
    """Return a header of ``request``, whatever bytes it has; empty if there is none."""
    value: bytes = request.getHeader(name.encode()) or b""
    return value.decode("latin-1")


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def is_this_machine(host: str) -> bool:
    """Tell whether a header ``Host`` names this machine: localhost or a loopback address."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
