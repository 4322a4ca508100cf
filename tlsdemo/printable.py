"""Text that a peer has chosen, made safe to print.

Certificates, SNI, ALPN, banners and names of runs are whatever a peer sends.  Printed as they are,
control characters could begin a new line of a log, or change what a terminal shows.  So every edge
where text leaves the program applies :func:`printable`: the log, terminals, HTML.  (JSON has
escapes of its own.)
"""

from __future__ import annotations


def printable(text: str, most: int | None = None) -> str:
    """Return ``text`` with every character escaped that is not printable.

    Not printable are control characters, line separators, format characters such as those that
    change the direction of writing, and surrogates (:meth:`str.isprintable`).  ``most``: characters
    of the text after which it is cut off, with a note; ``None`` for no limit.
    """
    shown = text[:most]
    if not shown.isprintable():
        shown = "".join(
            each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
            for each in shown
        )
    left_out = len(text) - len(text[:most])
    return f"{shown}… ({left_out} more)" if left_out else shown
