"""What stands in the way of a comparison with other versions."""

from __future__ import annotations


class Unattainable(Exception):
    """Other versions cannot be had, or nothing can be run with them.

    Its str is one line for the user: what was wrong, with what value, and what to do.
    """
