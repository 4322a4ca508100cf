"""All findings, by theme and by name."""

from __future__ import annotations

from tlsdemo.findings import (
    alpn,
    closing,
    cost,
    defaults,
    delivery,
    endings,
    handshake_events,
    mail,
    rejecting,
    resumption,
    stopping,
    upgrading,
)
from tlsdemo.findings.finding import Finding

THEMES: dict[str, tuple[Finding, ...]] = {
    "Upgrading": upgrading.FINDINGS,
    "Mail": mail.FINDINGS,
    "Events of the handshake": handshake_events.FINDINGS,
    "Rejecting": rejecting.FINDINGS,
    "Application protocols": alpn.FINDINGS,
    "Delivery": delivery.FINDINGS,
    "Cost": cost.FINDINGS,
    "Closing": closing.FINDINGS,
    "Endings": endings.FINDINGS,
    "Stopping": stopping.FINDINGS,
    "Resumption": resumption.FINDINGS,
    "Defaults": defaults.FINDINGS,
}
"""The findings under the headings of the documentation, in its order."""

FINDINGS: dict[str, Finding] = {
    finding.name: finding for findings in THEMES.values() for finding in findings
}
"""The same by name."""
