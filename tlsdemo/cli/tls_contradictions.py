"""What every command with options of TLS refuses, because they contradict each other."""

from __future__ import annotations

from tlsdemo.cli.contradictions import Contradiction, lacks
from tlsdemo.cli.options import Options
from tlsdemo.tls.policy import TLSVersion

ONLY_WITH_TLS = "cert key passphrase-file ca tls-min tls-max ciphers groups"
"""The options of a TLS endpoint, which have no effect in the clear."""


def lines_exceed_the_total(options: Options) -> bool:
    """Return whether a line before TLS may be longer than everything before TLS."""
    return bool(options["max-line"]) and options["max-line"] > options["max-plain"]


TLS_CONTRADICTIONS = (
    Contradiction(
        "passphrase-file",
        lacks("cert", "key"),
        "and the keys of the demonstration have no passphrase; add --cert and --key",
    ),
    Contradiction(
        "ciphers",
        lambda options: options["policy"].lowest is TLSVersion.TLS_1_3,
        "which are for TLS 1.2 and below, and --tls-min is 1.3; leave one away",
    ),
    Contradiction(
        "max-line",
        lines_exceed_the_total,
        "more than all lines may have together; raise --max-plain",
    ),
)
