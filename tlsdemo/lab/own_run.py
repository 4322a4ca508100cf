"""A connection in the laboratory between two ends of tlsdemo."""

from __future__ import annotations

from typing import Any

from tlsdemo.lab.laboratory import Cell, Laboratory, OurEnd, Run
from tlsdemo.starttls.immediate import ImmediateServer
from tlsdemo.starttls.line import LineClient, LineServer
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls import MODES, ClientTLS, ModeName, ServerTLS
from tlsdemo.trace.model import End, Trace


async def run_ours(lab: Laboratory, cell: Cell) -> Trace:
    """Make the connection of ``cell``, and return its trace.

    Raises:
        GivenUp: If the connection does not end.
    """
    server, client = lab.server_tls(cell), lab.client_tls(cell)
    session = None
    if cell.scenario.resumes:
        before = _OurRun(lab, cell)
        await before.run(server, client)
        session = before.left_session()
    return await _OurRun(lab, cell).run(server, client, session)


class _OurRun(Run):
    """One connection."""

    _client: OurEnd

    async def run(self, server_tls: ServerTLS, client_tls: ClientTLS, session: Any = None) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, server_tls, self._negotiation(End.SERVER))
        self._client = self.our_end(
            End.CLIENT, mode, client_tls, self._negotiation(End.CLIENT), session
        )
        port = self.relay_to(self.listen(server.factory))
        connected = self.connect(port, self._client)
        ends = [connected, server.endpoint.over, self._client.endpoint.over, self.relay.over]
        await self.until(ends, self.relay.reset)
        return self.trace

    def left_session(self) -> Any:
        """Return the TLS session that the client can resume."""
        connection = self._client.watch.connection
        assert connection is not None
        return connection.get_session()

    def _negotiation(self, end: End) -> Negotiation:
        if self.cell.mode == ModeName.WRAPPED.value:
            return ImmediateServer()
        return LineServer() if end is End.SERVER else LineClient()
