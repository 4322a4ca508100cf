"""PURE.  The catalogue of rules."""

from __future__ import annotations

from tlsdemo.scan.rule import Rule
from tlsdemo.scan.rules import (
    connect_not_verified,
    context_changed_late,
    private_tls_name,
    rejected_but_delivered,
    secure_at_connection_made,
    uncleared_line_buffer,
    undeclared_handshake_listener,
    unguarded_start_tls,
    unverified_server,
)

RULES: dict[str, Rule] = {
    each.RULE.name: each.RULE
    for each in (
        undeclared_handshake_listener,
        uncleared_line_buffer,
        unguarded_start_tls,
        private_tls_name,
        context_changed_late,
        connect_not_verified,
        rejected_but_delivered,
        unverified_server,
        secure_at_connection_made,
    )
}
"""The rules by name, in the order of the documentation."""
