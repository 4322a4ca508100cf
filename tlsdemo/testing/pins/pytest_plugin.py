"""A plugin of pytest: the fixture ``tls_events``, and ``--update-pins``.

It is installed with tlsdemo, and pytest finds it by its entry point.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

UPDATE = "TLSDEMO_UPDATE_PINS"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-pins``."""
    group = parser.getgroup("tlsdemo")
    group.addoption("--update-pins", action="store_true", help="write the pins of tls_events anew")


def pytest_configure(config: pytest.Config) -> None:
    """Have ``--update-pins`` hold for `EventPins` as well, which knows no options."""
    if config.getoption("--update-pins"):
        os.environ[UPDATE] = "1"


@pytest.fixture
def tls_events(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Put a protocol through a scenario, and compare what is seen with a pin.

    It is called as ``tls_events(factory, "injection behind the request", "injection.json",
    dialect="smtp")``; see `tlsdemo.testing.pins.EventPins.assertEvents`.  The file is relative to
    the folder of the test's module.
    """
    # Not before it is needed: pytest loads plugins in projects that do not use Twisted as well.
    from tlsdemo.testing.pins.assertion import assert_events

    def compare(factory: Any, scenario: str, pin: str, **more: Any) -> Any:
        __tracebackhide__ = True
        return assert_events(factory, scenario, request.path.parent / pin, **more)

    return compare
