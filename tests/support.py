"""What tests of several packages share, beside what is public in ``tlsdemo.testing``."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols import tls
from twisted.trial.unittest import SynchronousTestCase

from tlsdemo import testing
from tlsdemo.certificates.files import Credentials
from tlsdemo.net.runtime_folder import make_short
from tlsdemo.testing import (
    AwaitedRecorder,
    MemoryTransport,
    Recorder,
    RecordingListener,
    RecordingObserver,
    RecordingProducer,
    start_tls,
)
from tlsdemo.testing import PullRecorder as ReadingRecorder
from tlsdemo.testing import pump as exchange
from tlsdemo.testing import temporary_certificates as certificates
from tlsdemo.tls.groups import CAN_SET_GROUPS

__all__ = [
    "UNKNOWN_GROUPS",
    "AwaitedRecorder",
    "MemoryTransport",
    "ReadingRecorder",
    "Recorder",
    "RecordingListener",
    "RecordingObserver",
    "RecordingProducer",
    "StartTLSTransport",
    "certificates",
    "exchange",
    "factory_of",
    "now",
    "patch_reactor_clock",
    "short_folder",
    "start_tls",
    "subject_of",
]


UNKNOWN_GROUPS = (
    "not a list of groups that OpenSSL knows, such as 'X25519:P-256'"
    if CAN_SET_GROUPS
    else "and this version of pyOpenSSL cannot set groups; leave them out"
)
"""What is said of a list of groups that cannot be used."""


def now() -> datetime:
    return datetime.now(timezone.utc)


def subject_of(credentials: Credentials) -> str:
    assert credentials.certificate is not None
    certificate = x509.load_pem_x509_certificate(credentials.certificate.read_bytes())
    return certificate.subject.rfc4514_string()


class StartTLSTransport(testing.StartTLSTransport):
    """One that flushes what is buffered by the reactor's clock: see `patch_reactor_clock`."""

    def __init__(self, is_client: bool) -> None:
        super().__init__(is_client=is_client)

    def startTLS(self, contextFactory: Any, normal: bool = True) -> None:  # noqa: N803
        start_tls(self, contextFactory, MemoryTransport, normal=normal)


def patch_reactor_clock(case: SynchronousTestCase) -> Clock:
    """Have TLS layers that are made without a clock flush what they buffer by this one."""
    clock = Clock()
    case.patch(tls, "_get_default_clock", lambda: clock)
    return clock


def short_folder(case: SynchronousTestCase) -> Path:
    """A folder for UNIX sockets: one of trial's has a longer path than they may have."""
    folder = make_short()
    case.addCleanup(shutil.rmtree, folder)
    return folder


def factory_of(protocol: IProtocol) -> Factory:
    """A factory for one connection."""
    return Factory.forProtocol(lambda: protocol)  # type: ignore[arg-type, return-value]
