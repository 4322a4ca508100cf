"""The server's protocol factory of a checkout from before the packages were renamed.

``bench.tracing --against`` compares with such checkouts.  Their modules are found by PYTHONPATH
alone, so they are imported by name.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import Logger


def certificates(home: Path, now: Any) -> Any:
    """Make demonstration certificates in ``home``."""
    return import_module("tlsdemo.authority").demo_certificates(home, "ecdsa", now)


def factory(mode_name: str, every: str, clock: Clock, home: Path, credentials: Any) -> Any:
    """Return what makes the server's protocols; see ``traced.py``."""
    secure = import_module("tlsdemo.secure")
    factories = import_module("tlsdemo.server.factory")
    statistics = import_module("tlsdemo.server.statistics").Statistics()
    ledger = import_module("tlsdemo.server.ledger").Ledger()
    events = import_module("tlsdemo.server.eventlog").EventLog(Logger(), clock.seconds, 0, 0)
    books = [statistics, ledger, events]
    options: dict[str, Any] = {}
    if every != "none":
        file = import_module("tlsdemo.server.linefile").LineFile("trace", home / "trace", clock)
        books.append(import_module("tlsdemo.server.tracing").Tracing(file, int(every)))
        options["preparations"] = [secure.watch_states]
    tls = secure.ServerTLS.build(credentials, **options)
    mode = secure.MODES[secure.ModeName(mode_name)]
    sink = import_module("tlsdemo.server.sink").Sink
    setting = factories.Setting(mode, tls, mode.manner(None, None, 1 << 16), sink)
    accounting = import_module("tlsdemo.server.served").Books(*books)
    return mode.wrap(tls, factories.SessionFactory(setting, accounting, clock), clock)
