"""Securing connections: one file a mode, one stream above them all.

The only package that imports OpenSSL or Twisted's TLS layer.  What applications take from it::

    from tlsdemo.secure import ClientTLS, SecurePair, ServerTLS
"""

from tlsdemo.secure.agreement import Agreement
from tlsdemo.secure.cleartext import Cleartext
from tlsdemo.secure.connection import TLSConnection
from tlsdemo.secure.contexts import TLS, ClientAuth, ClientTLS, ServerTLS, Unusable
from tlsdemo.secure.endings import Insecure
from tlsdemo.secure.modes import MODES, Mode, ModeName
from tlsdemo.secure.pair import SecurePair
from tlsdemo.secure.readable import Readable, ReadableApplication
from tlsdemo.secure.stream import Delivery, Listener, Manner, Send, Stream
from tlsdemo.secure.versions import versions
from tlsdemo.secure.watch import KeyLog, Watch, WatchedConnection, WatchedTLS, watch_states

__all__ = [
    "MODES",
    "TLS",
    "Agreement",
    "Cleartext",
    "ClientAuth",
    "ClientTLS",
    "Delivery",
    "Insecure",
    "KeyLog",
    "Listener",
    "Manner",
    "Mode",
    "ModeName",
    "Readable",
    "ReadableApplication",
    "SecurePair",
    "Send",
    "ServerTLS",
    "Stream",
    "TLSConnection",
    "Unusable",
    "Watch",
    "WatchedConnection",
    "WatchedTLS",
    "versions",
    "watch_states",
]
