"""PURE.  What is shown of a client's plaintext: what is known to be harmless, and nothing else.

Traces are attached to bug reports, and a client may send anything before TLS: ``AUTH``, ``LOGIN``,
``USER`` and ``PASS``, the password message of PostgreSQL, an LDAP bind, SASL of XMPP.  So there is
no list of what is secret, which could never be complete, but one of what is not: the commands that
every dialect needs on the way to TLS.  Of everything else only the number of bytes is shown.
"""

from __future__ import annotations

import re

_UPGRADES = rb"STARTTLS|STLS|AUTH (TLS|SSL)|[A-Za-z0-9.]{1,16} STARTTLS"
"""The commands that request TLS."""

_UPGRADE = re.compile(rb"(%b) *\r?\n" % _UPGRADES, re.IGNORECASE)
_HARMLESS = re.compile(
    rb"(%b|(EHLO|HELO|LHLO) [!-~]{1,255}|CAPA|CAPABILIT(Y|IES)|FEAT|NOOP|QUIT|LOGOUT|RSET|HELP"
    rb"|MODE READER|[A-Za-z0-9.]{1,16} (CAPABILITY|NOOP|LOGOUT)) *\r?\n" % _UPGRADES,
    re.IGNORECASE,
)

_WHOLE = re.compile(
    # The SSLRequest and the GSSENCRequest of PostgreSQL, and the SSLRequest of MySQL.
    rb"\0\0\0\x08\x04\xd2\x16[\x2f\x30]"
    rb"|\x20\0\0\x01.{8}.\0{23}"
    # The StartTLS operation of LDAP.
    rb"|\x30.\x02.{1,5}\x77\x18\x80\x161\.3\.6\.1\.4\.1\.1466\.20037"
    # The header of an XMPP stream, and its request for TLS.
    rb"|\s*(<\?xml[^>]{0,100}\?>)?\s*<stream:stream\b[^>]{0,900}>\s*|\s*<starttls\b[^>]{0,200}/>\s*",
    re.DOTALL,
)
"""Pieces that are shown if nothing else is in them."""


class Redaction:
    """Says what can be shown of one client's plaintext, piece by piece as it arrives."""

    __slots__ = ("_hidden", "_in_line")

    def __init__(self) -> None:
        self._hidden = False
        self._in_line = False

    def shown(self, piece: bytes) -> bytes:
        """Return the beginning of ``piece`` that is known to be harmless.

        A line counts only as a whole.  After one that is not shown, what follows may be its
        continuation, so only requests for TLS are.
        """
        if not self._hidden and not self._in_line and _WHOLE.fullmatch(piece):
            return piece
        position = 0
        while not self._in_line and position < len(piece):
            known = (_UPGRADE if self._hidden else _HARMLESS).match(piece, position)
            if known is None:
                self._hidden = True
                break
            position = known.end()
        self._in_line = not piece.endswith(b"\n")
        return piece[:position]
