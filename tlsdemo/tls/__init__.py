"""Securing connections: one file a mode, one stream above them all.

The only package that imports OpenSSL or Twisted's TLS layer.  What applications take from it::

    from tlsdemo.tls import ClientTLS, SecurePair, ServerTLS
"""

from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.contexts import TLS, ClientAuth, ClientTLS, ServerTLS, UnusableCredentials
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.library_versions import versions
from tlsdemo.tls.modes import MODES, Mode, ModeName
from tlsdemo.tls.pull import PullApplication, PullSource
from tlsdemo.tls.secure_pair import SecurePair
from tlsdemo.tls.stream import Delivery, Listener, Send, Stream, TransportOptions
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream
from tlsdemo.tls.watch import KeyLog, Watch, WatchedConnection, WatchedTLS, watch_states

__all__ = [
    "MODES",
    "TLS",
    "ClientAuth",
    "ClientTLS",
    "ConnectionInfo",
    "Delivery",
    "Insecure",
    "KeyLog",
    "Listener",
    "Mode",
    "ModeName",
    "PullApplication",
    "PullSource",
    "SecurePair",
    "Send",
    "ServerTLS",
    "Stream",
    "TLSConnection",
    "TLSStream",
    "TransportOptions",
    "UnusableCredentials",
    "Watch",
    "WatchedConnection",
    "WatchedTLS",
    "versions",
    "watch_states",
]
