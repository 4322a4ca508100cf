"""Pins in tests of trial and unittest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from tlsdemo.testing.pins.assertion import assert_events


class EventPins:
    """A mixin for a test case, with one assertion.

    Set ``TLSDEMO_UPDATE_PINS=1`` in the environment to write the pins anew.
    """

    def assertEvents(  # noqa: N802
        self, factory: Any, scenario: str, pin: str | Path, **more: Any
    ) -> Deferred[None] | None:
        """Put a protocol through a scenario, and compare what is seen with a pin.

        Args:
            factory: The factory of the protocol, or a function without arguments that makes it.
            scenario: The name of a scenario, see `tlsdemo.testing.pins.SITUATIONS`.
            pin: The file, relative to the folder of the test's module.
            more: ``client=True`` if the protocol is a client; ``reactor``, to connect on the
                loopback interface instead of in memory; and what describes the peer, see
                `tlsdemo.testing.pins.Subject`: ``dialect``, ``tls``, ``question``, ….

        Returns:
            With a ``reactor``, a Deferred, which the test has to return.

        Raises:
            AssertionError: If it is not as pinned, or there is no pin.
            ValueError: If this protocol cannot be put through that scenario.
        """
        module = sys.modules[type(self).__module__]
        folder = Path(module.__file__ or "").absolute().parent
        return assert_events(factory, scenario, folder / pin, **more)
