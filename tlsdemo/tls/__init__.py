"""Secure connections that already exist: the library.

Start from one of these:

- :func:`upgrade` secures a connection that your protocol has already; :class:`UpgradeMixin` does
  the same for line protocols.
- :class:`UpgradeServerEndpoint` and :class:`UpgradeClientEndpoint` secure every connection of a
  factory; so do endpoint strings such as ``starttls:smtp:tcp:HOST:25``.
- :class:`SecurePair` is TLS without a socket, for anything that carries bytes.
- :class:`UpgradeProtocol` negotiates in plaintext, as a STARTTLS dialect prescribes, and then
  secures the connection; :class:`ConnectionSettings` say how, in one of the :data:`MODES`.
- :class:`ServerTLS` and :class:`ClientTLS` hold the TLS settings of either end.  Make one of them
  per service and use it for every connection.

An application is any Twisted protocol.  Its transport is a :class:`Stream`, the same in every
mode.  A :class:`Listener` provides the application when the connection is secure, and learns how
the connection ended; an :class:`Observer` sees every step, for logs, traces and metrics.

Everything that appears in a public signature can be imported from here::

    from tlsdemo.tls import ClientTLS, SecurePair, ServerTLS
"""

from tlsdemo.certificates.files import BadCredentials, Credentials
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.connection_settings import ConnectionSettings
from tlsdemo.tls.connection_upgrade import UPGRADE_TIMEOUTS, UpgradeMixin, upgrade
from tlsdemo.tls.contexts import TLS, ClientAuth, ClientTLS, ServerTLS, UnusableCredentials
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.key_log import KeyLog
from tlsdemo.tls.library_versions import versions
from tlsdemo.tls.listener import Listener
from tlsdemo.tls.modes import MODES, Mode, ModeName
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.policy import BadPolicy, Policy, TLSVersion
from tlsdemo.tls.pull import PullApplication, PullSource, PullStream
from tlsdemo.tls.record_writer import RecordWriter
from tlsdemo.tls.secure_pair import EncryptedSide, SecurePair
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer, Timeouts
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream
from tlsdemo.tls.transport_options import Delivery, Send, TransportOptions
from tlsdemo.tls.upgrade_endpoints import UpgradeClientEndpoint, UpgradeServerEndpoint
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol

__all__ = [
    "MODES",
    "NO_TIMEOUTS",
    "TLS",
    "UPGRADE_TIMEOUTS",
    "BadCredentials",
    "BadPolicy",
    "Cause",
    "ClientAuth",
    "ClientTLS",
    "CloseReason",
    "ConnectionInfo",
    "ConnectionPhase",
    "ConnectionSettings",
    "Credentials",
    "Delivery",
    "EncryptedSide",
    "Insecure",
    "KeyLog",
    "Listener",
    "Mode",
    "ModeName",
    "Negotiation",
    "Observer",
    "PhaseTimer",
    "Policy",
    "PullApplication",
    "PullSource",
    "PullStream",
    "RecordWriter",
    "SecurePair",
    "Send",
    "ServerTLS",
    "Stream",
    "StreamSetup",
    "TLSConnection",
    "TLSStream",
    "TLSVersion",
    "Timeouts",
    "TransportOptions",
    "UnusableCredentials",
    "UpgradeClientEndpoint",
    "UpgradeMixin",
    "UpgradeProtocol",
    "UpgradeServerEndpoint",
    "upgrade",
    "versions",
]
