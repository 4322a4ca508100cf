"""The line that a probe sends, and that the embedded sink sends back."""

from __future__ import annotations

PROBE_LINE = b"tlsdemo probe: please send back\n"
"""As long as the packets of the demonstration, so that its events are as large as theirs."""
