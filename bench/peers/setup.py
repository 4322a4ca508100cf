"""What a peer has to be configured with, and the peer once it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.child import Child
from tlsdemo.certificates.files import Credentials


@dataclass(frozen=True)
class Setup:
    """What a proxy has to be configured with.

    Attributes:
        sink: The port of the plain backend.
        connections: How many there will be at most.
        credentials: Our certificate, key, and the authority of the clients' certificates.
        client_auth: Whether clients must have a certificate.
        home: A directory for its files.
        cpus: The processors that it may use.
        workers: How many processes or threads accept, where a program can have several.
    """

    sink: int
    connections: int
    credentials: Credentials
    client_auth: bool
    home: Path
    cpus: str
    workers: int = 1

    @property
    def arguments(self) -> list[str]:
        """The port of the sink and the paths, as the programs beside this file take them."""
        own = self.credentials
        authority = [str(own.authority)] if self.client_auth else []
        return [str(self.sink), str(own.certificate), str(own.key), *authority]


def counts_no_events() -> int | None:
    """Return None: of most programs it is not known how often they hand bytes on."""
    return None


@dataclass
class Running:
    """A proxy that runs.

    Attributes:
        child: Its process.
        port: Where it listens, on 127.0.0.1.
        versions: The versions of its components.
        events: Returns how often its application has been handed bytes, if it counts that.
    """

    child: Child
    port: int
    versions: dict[str, str]
    events: Callable[[], int | None] = field(default=counts_no_events)


@dataclass(frozen=True)
class Peer:
    """One proxy.

    Attributes:
        name: What it is called on the command line and in the tables.
        about: The same in some more words.
        start: Starts it; raises NotInstalled or CannotMeasure with the reason if that fails.
        ours: Whether it is tlsdemo.
        variant: Whether it is another variant of a peer, which only some measures need.
    """

    name: str
    about: str
    start: Callable[[Setup], Running]
    ours: bool = False
    variant: bool = False
