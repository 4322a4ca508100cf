"""``twistd tlsdemo --web`` whose feed can be switched off and on, by SIGUSR1 and SIGUSR2.

Switched off, it is a server without pages, as far as connections that are open are concerned: so
the same process can be measured in turns with pages and without.  After each update, the file that
the environment variable `UPDATES` names has how many there were, and their CPU seconds.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from time import thread_time
from typing import Any

from twisted.scripts.twistd import run

from tlsdemo.web.web_pages import WebPages

UPDATES = "TLSDEMO_BENCH_UPDATES"


class _Switched(WebPages):
    _updates = 0
    _cpu = 0.0

    def started(self) -> None:
        """Begin to measure, and to obey the signals."""
        from twisted.internet import reactor

        feed: Any = self._feed
        update = feed._tick

        def measured() -> None:
            began = thread_time()
            update()
            self._cpu += thread_time() - began
            self._updates += 1
            file = Path(os.environ[UPDATES])
            file.with_suffix(".new").write_text(f"{self._updates} {self._cpu}")
            # Whoever reads it finds it whole.
            file.with_suffix(".new").replace(file)

        feed._tick = measured
        super().started()
        threads: Any = reactor
        for number, switch in ((signal.SIGUSR1, self._feed.stop), (signal.SIGUSR2, self._on)):
            signal.signal(number, lambda *_, switch=switch: threads.callFromThread(switch))

    def _on(self) -> None:
        if self._feed._call is None:
            self._feed.start()


if __name__ == "__main__":
    import tlsdemo.web.web_pages as module

    module.WebPages = _Switched  # type: ignore[misc]
    run()
