"""The catalogue of findings, by theme and by name."""

from __future__ import annotations

from tlsdemo.lab.findings import (
    alpn,
    closing,
    connection_ends,
    defaults,
    delivery,
    handshake_events,
    hello,
    incoming,
    key_exchange,
    mail,
    new_pyopenssl,
    rejecting,
    resumption,
    small_writes,
    stopping,
    upgrading,
    wrapping,
)
from tlsdemo.lab.findings.finding import Finding
from tlsdemo.reporting.finding_result import FindingDescription

THEMES: dict[str, tuple[Finding, ...]] = {
    "Upgrading": upgrading.FINDINGS,
    "Wrapping": wrapping.FINDINGS,
    "Mail": mail.FINDINGS,
    "First message": hello.FINDINGS,
    "Handshake events": handshake_events.FINDINGS,
    "Rejecting": rejecting.FINDINGS,
    "Application protocols": alpn.FINDINGS,
    "Delivery": delivery.FINDINGS,
    "Reading": incoming.FINDINGS,
    "Cost": small_writes.FINDINGS + key_exchange.FINDINGS,
    "Closing": closing.FINDINGS,
    "Ends of connections": connection_ends.FINDINGS,
    "Stopping": stopping.FINDINGS,
    "Resumption": resumption.FINDINGS,
    "Defaults": defaults.FINDINGS,
    "New pyOpenSSL": new_pyopenssl.FINDINGS,
}
"""The findings under the headings of the documentation, in its order."""

FINDINGS: dict[str, Finding] = {
    finding.name: finding for findings in THEMES.values() for finding in findings
}
"""The findings by name."""

DESCRIPTIONS: dict[str, list[FindingDescription]] = {
    theme: [finding.description for finding in findings] for theme, findings in THEMES.items()
}
"""The findings under the same headings, as :mod:`tlsdemo.reporting` needs them."""
