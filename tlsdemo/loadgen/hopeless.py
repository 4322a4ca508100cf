"""PURE. When a load is hopeless: no connection has been secured, nor would one be."""

from __future__ import annotations

from tlsdemo.close_reasons import Cause
from tlsdemo.reporting.load_counters import LoadCounters

FAILURES = 20
"""Failures after which a load is hopeless, whatever their causes."""

_CERTAIN = frozenset(
    cause.value
    for cause in (
        Cause.CONNECTION_REFUSED,
        Cause.NO_SUCH_SOCKET,
        Cause.NAME_NOT_RESOLVED,
        Cause.NETWORK_UNREACHABLE,
        Cause.HOST_UNREACHABLE,
        Cause.PERMISSION_DENIED,
        Cause.PLAINTEXT,
        Cause.NO_STARTTLS,
        Cause.NO_COMMON_VERSION,
        Cause.NO_COMMON_CIPHER,
        Cause.CERTIFICATE_MISSING,
        Cause.CERTIFICATE_UNTRUSTED,
        Cause.CERTIFICATE_EXPIRED,
        Cause.CERTIFICATE_INVALID,
        Cause.WRONG_NAME,
        Cause.REJECTED_BY_PEER,
    )
)
"""Causes that the next connection would have as well; a server that is busy has others."""


def is_hopeless(counters: LoadCounters) -> bool:
    """Tell whether a load of which this has been counted is hopeless.

    With a rate, the second connection may be due much later than the first has failed.
    """
    if counters.secured or counters.clean or not counters.failures:
        return False
    return counters.failures >= FAILURES or _CERTAIN.issuperset(counters.failed)
