"""The error of a comparison with other versions."""

from __future__ import annotations


class ComparisonError(Exception):
    """Other versions cannot be installed, or nothing can be run with them.

    The text is one line for the user: what is wrong, with which value, and what to do.
    """
