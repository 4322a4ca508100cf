"""Pins in tests of trial and unittest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from tlsdemo.testing.pins.memory_observation import observe_in_memory
from tlsdemo.testing.pins.pin import BadPin, Pin, check
from tlsdemo.testing.pins.subject import Subject
from tlsdemo.trace.model import End


class EventPins:
    """A mixin for a test case, with one assertion.

    Set ``TLSDEMO_UPDATE_PINS=1`` in the environment to write the pins anew.
    """

    def assertEvents(  # noqa: N802
        self,
        factory: Any,
        scenario: str,
        pin: str | Path,
        *,
        client: bool = False,
        **more: Any,
    ) -> None:
        """Put a protocol through a scenario in memory, and compare what is seen with a pin.

        Args:
            factory: The factory of the protocol, or a function without arguments that makes it.
            scenario: The name of a scenario, see `tlsdemo.testing.pins.SITUATIONS`.
            pin: The file, relative to the folder of the test's module.
            client: Whether the protocol is a client.
            more: See `tlsdemo.testing.pins.Subject`: ``dialect``, ``tls``, ``question``, …

        Raises:
            ValueError: If this protocol cannot be put through that scenario.
        """
        subject = Subject(factory, End.CLIENT if client else End.SERVER, **more)
        seen = Pin(observe_in_memory(subject, scenario))
        try:
            problem = check(seen, _folder(self) / pin)
        except BadPin as bad:
            problem = str(bad)
        if problem:
            raise AssertionError(problem)


def _folder(test: object) -> Path:
    module = sys.modules[type(test).__module__]
    return Path(module.__file__ or "").absolute().parent
