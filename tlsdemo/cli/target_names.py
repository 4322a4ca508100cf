"""What follows from the client endpoint string of a server: its host, and its status service."""

from __future__ import annotations

from tlsdemo.cli.endpoint_strings import EndpointString
from tlsdemo.net.runtime_folder import status_endpoint


def usual_status(connect: str) -> str | None:
    """Return where the status service of this user's server is that listens at ``connect``.

    ``None`` if that is not a TCP port of this machine.

    >>> usual_status("tcp:host=127.0.0.1:port=8899").rpartition("/")[2]
    'status-8899'
    >>> usual_status("tcp:example.org:8899")
    """
    host, port = _host_and_port(connect)
    here = host in ("localhost", "::1") or host.startswith("127.")
    return status_endpoint(int(port)) if here and port.isdecimal() else None


def host_of(connect: str) -> str:
    """Return the host in a client endpoint string, or ``localhost`` if it has none.

    >>> host_of("tcp:host=example.org:port=25")
    'example.org'
    """
    return _host_and_port(connect)[0] or "localhost"


def _host_and_port(connect: str) -> tuple[str, str]:
    """Return the host and the port in a client endpoint string, empty if it has none."""
    endpoint = EndpointString.split(connect)
    if endpoint.kind not in ("tcp", "tls", "ssl"):
        return "", ""
    missing = [name for name in ("host", "port") if name not in endpoint.named]
    given = {**dict(zip(missing, endpoint.arguments, strict=False)), **endpoint.named}
    return given.get("host", ""), given.get("port", "")
