"""A connection in the laboratory with both ends ours, in one mode."""

from __future__ import annotations

from typing import Any

from tlsdemo.events.laboratory import Cell, Laboratory, OurEnd, Run
from tlsdemo.secure import MODES, ClientTLS, ModeName, ServerTLS
from tlsdemo.trace import End, Trace
from tlsdemo.upgrade.dialogue import Dialogue
from tlsdemo.upgrade.immediate import ImmediateServer
from tlsdemo.upgrade.line import LineClient, LineServer


async def run_ours(lab: Laboratory, cell: Cell) -> Trace:
    """Make the connection of ``cell``, and return what was seen of it.

    Raises :class:`~tlsdemo.events.laboratory.GivenUp` if it does not come to its end.
    """
    server, client = lab.server_tls(cell), lab.client_tls(cell)
    session = None
    if cell.way.resumes:
        before = _OurRun(lab, cell)
        await before.run(server, client)
        session = before.left_session()
    return await _OurRun(lab, cell).run(server, client, session)


class _OurRun(Run):
    """One connection."""

    _client: OurEnd

    async def run(self, server_tls: ServerTLS, client_tls: ClientTLS, session: Any = None) -> Trace:
        mode = MODES[ModeName(self.cell.mode)]
        server = self.our_end(End.SERVER, mode, server_tls, self._dialogue(End.SERVER))
        self._client = self.our_end(
            End.CLIENT, mode, client_tls, self._dialogue(End.CLIENT), session
        )
        port = self.relay_to(self.listen(server.factory))
        connected = self.connect(port, self._client)
        ends = [connected, server.party.over, self._client.party.over, self.relay.over]
        await self.until(ends, self.relay.reset)
        return self.trace

    def left_session(self) -> Any:
        """Return the TLS session that the client can resume."""
        connection = self._client.watch.connection
        assert connection is not None
        return connection.get_session()

    def _dialogue(self, end: End) -> Dialogue:
        if self.cell.mode == ModeName.WRAPPED.value:
            return ImmediateServer()
        return LineServer() if end is End.SERVER else LineClient()
