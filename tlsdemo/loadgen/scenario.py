"""What the connections of a load do: the names of the scenarios, and their interface."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tlsdemo.loadgen.application import LoadApplication
from tlsdemo.loadgen.arrivals import Window
from tlsdemo.loadgen.load_connection import LoadConnection
from tlsdemo.loadgen.recorder import Recorder
from tlsdemo.loadgen.schedule import Task
from tlsdemo.loadgen.work_queue import WorkQueue
from tlsdemo.reporting.latencies import CONFIRMED


class ScenarioName(enum.Enum):
    """The names of the scenarios."""

    STREAM = "stream"
    PINGPONG = "pingpong"
    CHURN = "churn"
    IDLE = "idle"


@dataclass
class Counts:
    """What a scenario counts besides the connections.

    ``answered``: messages whose answer was right.  ``missed``: work that was due and could not be
    started.
    """

    answered: int = 0
    missed: int = 0


class Connections(Protocol):
    """The connection pool, as a scenario sees it."""

    reactor: Any
    recorder: Recorder

    @property
    def open_connections(self) -> Iterable[LoadConnection]:
        """The connections that have not ended."""

    def may_open(self) -> bool:
        """Whether there may be one more connection."""

    def open_connection(self, due: float) -> None:
        """Open a connection that was due then."""


class Scenario(ABC):
    """What the connections of ``pool`` do, as ``task`` says.

    Attributes:
        opens_first: Whether the pool opens all connections before the load begins; if not, the
            scenario opens them.
        needs_end: Whether a server has to send close_notify, as what it has not read is not known
            to have arrived otherwise.
        ends_itself: Whether its connections end after ``task.packets``, if that is not 0.
        main: The latency that counts the work that was done.
        unit: What a rate counts.
        packet_size: Bytes of one write.
    """

    opens_first = True
    needs_end = False
    ends_itself = False
    main = CONFIRMED
    unit = "connections"

    def __init__(self, pool: Connections, task: Task) -> None:
        self.pool = pool
        self.task = task
        self.counts = Counts()
        self.packet_size = task.packet_size

    def queue(self, start: Any) -> WorkQueue:
        """Return a queue whose work ``start`` starts."""
        task, pool = self.task, self.pool
        return WorkQueue(pool.reactor, pool.recorder.now, start, task.index, task.of)

    @abstractmethod
    def application(self, connection: LoadConnection) -> LoadApplication:
        """Return what is done with a connection that can send now."""

    @abstractmethod
    def begin(self, window: Window) -> None:
        """Begin the load of a window."""

    @abstractmethod
    def rest(self) -> None:
        """Begin no more work."""

    @property
    def outstanding(self) -> int:
        """The work that has been begun and is not done."""
        return 0

    def ended(self, connection: LoadConnection) -> None:  # noqa: B027 most need not know
        """Note that a connection has ended."""
