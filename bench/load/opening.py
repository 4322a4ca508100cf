"""Opening many connections, so many at a time."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.child import CannotMeasure
from bench.load.connection import Connection, Refused


@dataclass(frozen=True)
class Opened:
    """The secured connections, and when the first was begun and the last was secured."""

    connections: list[Connection]
    began: float
    ended: float

    @property
    def seconds(self) -> float:
        """Seconds until the last was secured, as the client sees it."""
        return self.ended - self.began

    def close(self) -> None:
        """Close all of them."""
        for each in self.connections:
            each.close()


def open_connections(
    make: Callable[[], Connection],
    count: int,
    in_flight: int,
    deadline: float,
    on_secured: Callable[[Connection], object] = lambda _: None,
) -> Opened:
    """Open ``count`` connections, at most ``in_flight`` of them in their handshake.

    ``deadline``: of time.monotonic().  Raises CannotMeasure if one fails, or time runs out.
    """
    began = time.monotonic()
    pending: dict[int, Connection] = {}
    done: list[Connection] = []
    with select.epoll() as epoll:
        try:
            while len(done) < count:
                while len(pending) < in_flight and len(done) + len(pending) < count:
                    new = make()
                    pending[new.fileno()] = new
                    epoll.register(new.fileno(), select.EPOLLOUT)
                ready = epoll.poll(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise CannotMeasure(f"only {len(done):,} of {count:,} connections were secured")
                for number, events in ready:
                    connection = pending[number]
                    if events & select.EPOLLOUT:
                        connection.begin()
                        epoll.modify(number, select.EPOLLIN)
                        continue
                    connection.read()
                    if connection.secured:
                        on_secured(connection)
                        epoll.unregister(number)
                        done.append(pending.pop(number))
        except (Refused, OSError) as error:
            _close([*pending.values(), *done])
            raise CannotMeasure(
                f"connection {len(done) + 1:,} of {count:,} failed: {error}"
            ) from None
        except BaseException:
            _close([*pending.values(), *done])
            raise
    return Opened(done, began, time.monotonic())


def _close(connections: list[Connection]) -> None:
    for each in connections:
        each.close()
