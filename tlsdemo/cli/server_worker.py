"""``python -m tlsdemo.cli.server_worker``: one worker process of ``twistd tlsdemo --workers``.

Its arguments are a `WorkerTask` as JSON, and then those of ``twistd tlsdemo``.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import Any

from twisted.application.reactors import installReactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from tlsdemo.cli.worker_task import WorkerTask
from tlsdemo.net.bounded_log import BoundedLog
from tlsdemo.net.garbage import collect_rarely
from tlsdemo.proxy.worker_log import worker_log


def main() -> None:
    """Serve until the parent has us stop, or has gone away."""
    task = WorkerTask(**json.loads(sys.argv[1]))
    installReactor(task.reactor)
    from twisted.internet import reactor as installed

    from tlsdemo.proxy.worker_server import WorkerServer
    from tlsdemo.tap import Options, reload_certificates, server_settings

    reactor: Any = installed
    # Ctrl-C reaches every process of a terminal, but it is for the parent to react to it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = Options()
    options.is_worker = True
    options.parseOptions(sys.argv[2:])
    settings = task.settings(server_settings(options, reactor))
    observer: Any = BoundedLog(worker_log(sys.stderr), reactor.seconds)
    # What was logged about the options was logged by the parent as well.
    globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)
    server = WorkerServer(settings, reactor)

    def parent_gone() -> None:
        if reactor.running:
            reactor.stop()

    StandardIO(server.parent_protocol(parent_gone), reactor=reactor)
    server.privilegedStartService()
    server.startService()
    collect_rarely()
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload_certificates, settings))
    reactor.addSystemEventTrigger("before", "shutdown", maybeDeferred, server.stopService)
    reactor.run()


if __name__ == "__main__":
    main()
