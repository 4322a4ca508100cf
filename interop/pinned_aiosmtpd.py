"""aiosmtpd, a server without Twisted, put through the situations, and its pins.

A negative control: it runs in a thread with a loop of asyncio, behind a port forward, so that no
release of Twisted should change what it sends.  As a program this prints which pins differ from
what is seen with the versions that it runs with, as JSON; ``--update`` writes them anew.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.protocols.portforward import ProxyFactory

from tlsdemo.testing import temporary_certificates
from tlsdemo.testing.pins import Pin, Subject, observe_on_loopback
from tlsdemo.trace.model import Mark

FOLDER = Path(__file__).parent / "pins"

SCENARIOS = (
    "ok", "injection behind the request", "hello in the segment of the request",
    "silent in mid-handshake", "truncation", "ALPN only offered", "wrong name",
)  # fmt: skip


def _smtp() -> SMTP:
    files = temporary_certificates().server
    assert files.certificate is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    loop = asyncio.get_running_loop()
    return SMTP(Sink(), hostname="localhost", ident="aiosmtpd", tls_context=context, loop=loop)


@contextmanager
def _server() -> Iterator[int]:
    """Run the server in a thread; the value is its port."""
    loop = asyncio.new_event_loop()
    # What it says of connections that fail is not what is pinned.
    loop.set_exception_handler(lambda loop, context: None)
    logging.getLogger("mail.log").disabled = True
    server = loop.run_until_complete(loop.create_server(_smtp, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def path_of(scenario: str) -> Path:
    """Return the file of a pin."""
    return FOLDER / f"aiosmtpd-server-{scenario.replace(' ', '-')}.json"


async def _seen(reactor: Any, scenario: str, port: int) -> Pin:
    factory = ProxyFactory("127.0.0.1", port)
    factory.noisy = False
    subject = Subject(
        factory, dialect="smtp", question=b"NOOP\r\n", farewell=b"QUIT\r\n", injected=b"NOOP\r\n"
    )
    trace = await observe_on_loopback(reactor, subject, scenario)
    # What the port forward is told, encrypted and in whatever pieces, is not what is pinned.
    trace.seen[:] = [
        each for each in trace.seen if not isinstance(each, Mark) or each.end is subject.peer
    ]
    return Pin(trace)


async def differing(reactor: Any, update: bool = False) -> dict[str, list[str]]:
    """Return the lifelines that differ, by the name of the file; write the files, if asked to."""
    found = {}
    with _server() as port:
        for scenario in SCENARIOS:
            pin, path = await _seen(reactor, scenario, port), path_of(scenario)
            if update:
                pin.write(path)
            if lifelines := pin.differing(Pin.read(path)):
                found[path.stem] = lifelines
    return found


async def _main(reactor: Any) -> None:
    print(json.dumps(await differing(reactor, "--update" in sys.argv)))


if __name__ == "__main__":
    react(lambda reactor: Deferred.fromCoroutine(_main(reactor)))
