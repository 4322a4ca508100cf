"""Securing connections that already exist: the library.

One file a mode, one application transport above them all::

    from tlsdemo.tls import ClientTLS, SecurePair, ServerTLS

Everything that appears in a public signature can be imported from here.
"""

from tlsdemo.certificates.files import Credentials
from tlsdemo.close_reasons import Cause, CloseReason
from tlsdemo.starttls.negotiation import Negotiation
from tlsdemo.tls.connection_info import ConnectionInfo
from tlsdemo.tls.connection_settings import ConnectionSettings
from tlsdemo.tls.contexts import TLS, ClientAuth, ClientTLS, ServerTLS, UnusableCredentials
from tlsdemo.tls.error_reasons import Insecure
from tlsdemo.tls.key_log import KeyLog
from tlsdemo.tls.library_versions import versions
from tlsdemo.tls.listener import Listener
from tlsdemo.tls.modes import MODES, Mode, ModeName
from tlsdemo.tls.observer import Observer
from tlsdemo.tls.policy import BadPolicy, Policy, TLSVersion
from tlsdemo.tls.pull import PullApplication, PullSource, PullStream
from tlsdemo.tls.secure_pair import EncryptedSide, SecurePair
from tlsdemo.tls.stream import Stream, StreamSetup
from tlsdemo.tls.timeouts import NO_TIMEOUTS, ConnectionPhase, PhaseTimer, Timeouts
from tlsdemo.tls.tls_connection import TLSConnection
from tlsdemo.tls.tls_stream import TLSStream
from tlsdemo.tls.transport_options import Delivery, Send, TransportOptions
from tlsdemo.tls.upgrade_protocol import UpgradeProtocol

__all__ = [
    "MODES",
    "NO_TIMEOUTS",
    "TLS",
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
    "UpgradeProtocol",
    "versions",
]
