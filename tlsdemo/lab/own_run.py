"""A connection in the laboratory between two ends of tlsdemo."""

from __future__ import annotations

from typing import Any

from tlsdemo.lab.laboratory import Cell, Laboratory, OurEnd, Run
from tlsdemo.starttls.immediate import ImmediateServer as Immediate
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.tls import MODES, ClientTLS, ModeName, ServerTLS
from tlsdemo.trace.model import End, Trace


async def run_ours(lab: Laboratory, cell: Cell) -> Trace:
    """Make the connection of ``cell``, and return its trace.

    Raises:
        GivenUp: If the connection does not end in time.
    """
    server, client = lab.server_tls(cell), lab.client_tls(cell)
    if cell.scenario.resumes:
        first = _OwnRun(lab, cell)
        await first.run(server, client)
        client = client.resuming(first.session())
    return await _OwnRun(lab, cell).run(server, client)


class _OwnRun(Run):
    """One connection."""

    _client: OurEnd

    async def run(self, server_tls: ServerTLS, client_tls: ClientTLS) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        client, server = (LineClient, LineServer) if mode.allows_negotiation else (Immediate,) * 2
        server_end = self.our_end(End.SERVER, mode, server_tls, server)
        self._client = self.our_end(End.CLIENT, mode, client_tls, client)
        port = self.relay_to(self.listen(server_end.factory))
        connected = self.connect(port, self._client)
        ends = [connected, server_end.endpoint.over, self._client.endpoint.over, self.relay.over]
        await self.until(ends, self.relay.reset)
        return self.trace

    def session(self) -> Any:
        """Return the TLS session, which a client can resume."""
        return self._client.observer.connection.get_session()
