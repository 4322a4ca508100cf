"""The handler of the embedded sink, which a proxy without a backend forwards to."""

from __future__ import annotations

from tlsdemo.net.probe_line import PROBE_LINE
from tlsdemo.proxy.echo_handler import EchoHandler


class EmbeddedSink(EchoHandler):
    """Discards what it receives, but for that of a probe, which it sends back.

    A connection is that of a probe if the first read begins with `PROBE_LINE`.  So a client can
    measure how long a message takes all the way through the proxy while others only send.
    """

    _is_probe: bool | None = None

    def dataReceived(self, data: bytes) -> None:
        """Discard ``data``, or send it back."""
        if self._is_probe is None:
            self._is_probe = data.startswith(PROBE_LINE)
        if self._is_probe:
            super().dataReceived(data)
