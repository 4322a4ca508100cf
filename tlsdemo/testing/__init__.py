r"""Test code that upgrades connections to TLS, in memory: no sockets, no waiting, no reactor.

What is here works for any Twisted protocol, whether or not it uses the rest of tlsdemo:

- :class:`StartTLSTransport`, whose ``startTLS`` is Twisted's own.  (The one of
  ``twisted.internet.testing`` and ``twisted.test.iosim`` only pretends to start TLS.)
- :class:`SSLPeer`, a TLS peer made of the standard library's :mod:`ssl`.
- :func:`connect_in_memory`, which connects two Twisted protocols to each other.
- :func:`temporary_certificates`, for both ends.
- Recorders, which keep a log of what happens to a protocol, a producer or a ``Listener``.

Nothing is imported from trial, so any test framework will do.

An example.  This server greets by name, and only over TLS.  It must not accept anything that
comes in plain text after the command, or an attacker could inject commands::

    >>> from twisted.internet.protocol import Protocol
    >>> from twisted.internet.ssl import PrivateCertificate
    >>> class GreetingServer(Protocol):
    ...     def __init__(self, context_factory):
    ...         self.context_factory = context_factory
    ...         self.is_secure = False
    ...     def dataReceived(self, data):
    ...         if self.is_secure:
    ...             self.transport.write(b"Hello, " + data)
    ...         elif data == b"STARTTLS\r\n":
    ...             self.transport.write(b"220 Go ahead\r\n")
    ...             self.transport.startTLS(self.context_factory)
    ...             self.is_secure = True
    ...         else:
    ...             self.transport.abortConnection()

A test begins in plain text, then lets a client of the standard library complete the handshake::

    >>> from tlsdemo.testing import SSLPeer, StartTLSTransport, pump, temporary_certificates
    >>> files = temporary_certificates().server
    >>> pem = files.certificate.read_bytes() + files.key.read_bytes()
    >>> context_factory = PrivateCertificate.loadPEM(pem).options()

    >>> transport = StartTLSTransport(GreetingServer(context_factory))
    >>> transport.connect()
    >>> transport.deliver(b"STARTTLS\r\n")
    >>> transport.take()
    b'220 Go ahead\r\n'

    >>> client = SSLPeer.client(server_name="localhost")
    >>> pump(transport, client)
    >>> client.complete, client.error
    (True, None)
    >>> client.write(b"Ada")
    >>> pump(transport, client)
    >>> client.received
    b'Hello, Ada'

And a second test, of what an attacker would do::

    >>> transport = StartTLSTransport(GreetingServer(context_factory))
    >>> transport.connect()
    >>> transport.deliver(b"STARTTLS\r\nMallory")
    >>> transport.connected, transport.take()
    (False, b'')
"""

from tlsdemo.testing.memory_connection import MemoryConnection, connect_in_memory, pump
from tlsdemo.testing.memory_transport import MemoryTransport
from tlsdemo.testing.recorders import (
    AwaitedRecorder,
    PullRecorder,
    Recorder,
    RecordingListener,
    RecordingObserver,
    RecordingProducer,
)
from tlsdemo.testing.ssl_peer import SSLPeer
from tlsdemo.testing.starttls_transport import StartTLSTransport, start_tls
from tlsdemo.testing.temporary_certificates import temporary_certificates

__all__ = [
    "AwaitedRecorder",
    "MemoryConnection",
    "MemoryTransport",
    "PullRecorder",
    "Recorder",
    "RecordingListener",
    "RecordingObserver",
    "RecordingProducer",
    "SSLPeer",
    "StartTLSTransport",
    "connect_in_memory",
    "pump",
    "start_tls",
    "temporary_certificates",
]
