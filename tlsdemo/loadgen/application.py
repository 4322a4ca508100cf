"""What a load connection does once it is secure: the interface of its protocols."""

from __future__ import annotations

from abc import ABC, abstractmethod

from twisted.internet.protocol import Protocol

from tlsdemo.tls import Stream


class LoadApplication(Protocol, ABC):
    """The protocol of one load connection.

    Attributes:
        complete: Whether everything that the scenario promises has been sent and verified, and the
            connection is being closed for that reason.  If it ends before, it has failed.
        unfinished: What to say of a server that closes before that.
    """

    transport: Stream | None
    complete = False
    unfinished = "the server closed before all was sent"

    @abstractmethod
    def finish(self) -> None:
        """Begin nothing more, and close in order when what was begun is done."""
