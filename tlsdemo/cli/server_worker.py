"""``python -m tlsdemo.cli.server_worker``: one worker process of ``twistd tlsdemo --workers``.

Its arguments are a `WorkerTask` as JSON, and then those of ``twistd tlsdemo``.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from twisted.application.reactors import installReactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.stdio import StandardIO
from twisted.logger import globalLogBeginner

from tlsdemo.cli.worker_task import WorkerTask
from tlsdemo.net.bounded_log import BoundedLog
from tlsdemo.net.garbage import collect_rarely
from tlsdemo.proxy.worker_log import worker_log
from tlsdemo.tls import MODES

if TYPE_CHECKING:
    from tlsdemo.proxy.server_settings import ServerSettings
    from tlsdemo.proxy.status_service import Answers
    from tlsdemo.proxy.worker_server import WorkerServer
    from tlsdemo.web.page_watches import PageWatches


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
    watches = options.page_watches(MODES[options["mode"]])
    settings = task.settings(server_settings(options, reactor, watches))
    observer: Any = BoundedLog(worker_log(sys.stderr), reactor.seconds)
    # What was logged about the options was logged by the parent as well.
    globalLogBeginner.beginLoggingTo([observer], discardBuffer=True, redirectStandardIO=False)
    server = WorkerServer(settings, reactor)

    def parent_gone() -> None:
        if reactor.running:
            reactor.stop()

    StandardIO(
        server.parent_protocol(parent_gone, **_answers_for_pages(server, settings, watches)),
        reactor=reactor,
    )
    server.privilegedStartService()
    server.startService()
    collect_rarely()
    signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(reload_certificates, settings))
    # The parent has us begin with it blocked: what was sent meanwhile comes now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGHUP])
    reactor.addSystemEventTrigger("before", "shutdown", maybeDeferred, server.stopService)
    reactor.run()


def _answers_for_pages(
    server: WorkerServer, settings: ServerSettings, watches: PageWatches | None
) -> Answers:
    if watches is None:
        return {}
    from tlsdemo.web.worker_answers import WorkerAnswers

    answers = WorkerAnswers(server, settings, watches)
    server.at_end = answers.at_end
    return {"page": answers.page, "connection": answers.connection}


if __name__ == "__main__":
    main()
