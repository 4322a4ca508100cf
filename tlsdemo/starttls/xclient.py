"""XCLIENT: how a proxy tells a mail server the address of its client (Postfix's XCLIENT_README).

The server believes it only of hosts that it authorizes.  It then begins the session anew, with a
greeting that is for the client.  If it does not accept XCLIENT, it goes on with the session of the
proxy itself (Postfix does so for an IPv6 address with ``inet_protocols = ipv4``).  The proxy must
not: it may be allowed what the client is not.
"""

from __future__ import annotations

from typing import ClassVar

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.line_negotiation import LineNegotiation, reply_code
from tlsdemo.starttls.names import DEFAULT_NAMES, Names
from tlsdemo.starttls.negotiation import OTHER, Message, Rule, State, Table

End = tuple[str, int]
"""An IP address and a port."""


def _table(hello: bytes) -> Table:
    def refused(detail: str) -> Rule:
        return Rule(State.REFUSED, b"QUIT\r\n", Cause.BACKEND_REFUSED, detail)

    xclient = Rule(State.REQUESTED, b"XCLIENT{attributes}\r\n")
    answer = "the backend answered the hello with {reply}"
    return {
        (State.START, "220-"): Rule(State.START),
        (State.START, "220"): Rule(State.GREETED, hello + b" {own}\r\n"),
        (State.START, OTHER): refused("the backend's greeting is {reply}"),
        (State.GREETED, "250-"): Rule(State.GREETED),
        (State.GREETED, "250-XCLIENT"): Rule(State.OFFERED),
        (State.GREETED, "250 XCLIENT"): xclient,
        (State.GREETED, "250"): refused("the backend does not offer us XCLIENT with ADDR"),
        (State.GREETED, OTHER): refused(answer),
        (State.OFFERED, "250-"): Rule(State.OFFERED),
        (State.OFFERED, "250-XCLIENT"): Rule(State.OFFERED),
        (State.OFFERED, "250 XCLIENT"): xclient,
        (State.OFFERED, "250"): xclient,
        (State.OFFERED, OTHER): refused(answer),
        (State.REQUESTED, "220-"): Rule(State.REQUESTED),
        (State.REQUESTED, "220"): Rule(State.SWITCHED),
        (State.REQUESTED, OTHER): refused("the backend answered XCLIENT with {reply}"),
    }


class SmtpXclient(LineNegotiation):
    """What the proxy says to a backend before the client's session begins.

    ``Switch`` means that XCLIENT has been accepted; ``greeting`` is the answer to it, with which
    the session begins.  ``client`` and ``server`` are the ends of the client's connection, ``None``
    if unknown.  The client's name is not looked up, and said to be unknown.
    """

    table = _table(b"EHLO")
    is_client: ClassVar[bool] = True

    def __init__(
        self, client: End | None, server: End | None, names: Names = DEFAULT_NAMES
    ) -> None:
        # Nothing is secret here, and whatever follows belongs to the session.
        super().__init__(guard=False, names=names)
        self._values = {
            b"NAME": b"[UNAVAILABLE]",
            **_attributes(b"ADDR", b"PORT", client),
            **_attributes(b"DESTADDR", b"DESTPORT", server),
        }
        self._offered: list[bytes] = []
        self.greeting = b""

    def _parse(self, line: bytes) -> Message:
        if self.state is State.REQUESTED:
            self.greeting += line + b"\r\n"
        name = reply_code(line)
        keyword, *offered = line[4:].upper().split() or [b""]
        if name in ("250", "250-") and keyword == b"XCLIENT" and b"ADDR" in offered:
            name = f"{name:4}XCLIENT"
            self._offered = offered
        attributes = b"".join(
            b" " + attribute + b"=" + value
            for attribute, value in self._values.items()
            if attribute in self._offered
        )
        return Message(name, {b"reply": line, b"attributes": attributes})


class LmtpXclient(SmtpXclient):
    """The same for LMTP, where LHLO replaces EHLO."""

    table = _table(b"LHLO")


def _attributes(address: bytes, port: bytes, end: End | None) -> dict[bytes, bytes]:
    if end is None:
        return {address: b"[UNAVAILABLE]", port: b"[UNAVAILABLE]"}
    host = f"IPV6:{end[0]}" if ":" in end[0] else end[0]
    return {address: host.encode("ascii"), port: str(end[1]).encode("ascii")}
