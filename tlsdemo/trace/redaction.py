"""PURE.  What is shown of plaintext: of a client's what is known to be harmless, and nothing else.

Traces are attached to bug reports, and a client may send anything before TLS: ``AUTH``, ``LOGIN``,
``USER`` and ``PASS``, the password message of PostgreSQL, an LDAP bind, SASL of XMPP.  So there is
no list of what is secret, which could never be complete, but one of what is not: the commands that
every dialect needs on the way to TLS.  Of everything else only the number of bytes is shown.

A server is shown as it is, but for what it repeats of a client's words: the tag of a command.
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


_REPEATED = re.compile(
    # The tag of a reply in IMAP (RFC 9051, section 7.1); a word before "OK" is a code elsewhere.
    rb"(?m)^(?![*+] |[0-9]{3} )[!-~]+(?= (OK|NO|BAD)\b)"
    # The answer to NOOP in ManageSieve (RFC 5804, section 2.13).
    rb"|(?<=\(TAG ).*(?=\))",
    re.IGNORECASE,
)
"""What a server's reply repeats of a command."""


class Redaction:
    """Says what can be shown of one connection's plaintext, piece by piece as it arrives."""

    __slots__ = ("_hidden", "_in_line")

    def __init__(self) -> None:
        self._hidden = False
        self._in_line = False

    def of_server(self, piece: bytes) -> bytes:
        """Return ``piece``, without what repeats the client's words if some are not shown.

        Replies are expected in whole lines, as our servers write them.
        """
        return _REPEATED.sub(b"", piece) if self._hidden else piece

    def of_client(self, piece: bytes) -> bytes:
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
