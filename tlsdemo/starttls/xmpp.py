"""Dialect ``xmpp``: STARTTLS (RFC 6120, section 5, in the XML streams of section 4).

Each side opens a stream, an element that is closed only at the end of the connection, and sends
its messages as child elements.  Expat parses them, and is fed no further than the next ``>``, which
ends every tag: so what follows ``<starttls/>`` or ``<proceed/>`` is never parsed as XML.  Comments,
processing instructions and document types, and so entities, which section 11.1 forbids, are
refused as soon as they are seen.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.names import DEFAULT_NAMES, Names, without_last_dot
from tlsdemo.starttls.negotiation import (
    CONNECTED,
    MAX_PLAIN,
    OTHER,
    TOO_LONG,
    Command,
    Message,
    Negotiation,
    Rule,
    State,
    Table,
)

MAX_DEPTH = 8
"""Limit of the depth of elements, the stream included."""

_STREAMS = "http://etherx.jabber.org/streams"
_TLS = "urn:ietf:params:xml:ns:xmpp-tls"
_CONTENTS = ("jabber:client", "jabber:server")

_HEADER = "header"
_OLD_HEADER = "header without a version"
_END = "end of the stream"
_TOO_DEEP = "too deep"
_FORBIDDEN = "what XMPP forbids"
_MALFORMED = "no XML"


def _quote(named: Mapping[str, str | None]) -> bytes:
    present = (f" {name}={quoteattr(value)}" for name, value in named.items() if value is not None)
    return "".join(present).encode()


def _local(name: str) -> bytes:
    """Return an element's name without its namespace."""
    return name.rpartition(" ")[2].encode()


def _open(content: bytes, attributes: bytes) -> bytes:
    named = b'xmlns="%b" xmlns:stream="%b" version="1.0"' % (content, _STREAMS.encode())
    return b'<?xml version="1.0"?><stream:stream %b%b>' % (named, attributes)


def _tls(name: bytes, content: bytes = b"") -> bytes:
    end = b">%b</%b>" % (content, name) if content else b"/>"
    return b'<%b xmlns="%b"' % (name, _TLS.encode()) + end


_CLOSE = b"</stream:stream>"


def _stream_error(condition: bytes) -> bytes:
    error = b'<%b xmlns="urn:ietf:params:xml:ns:xmpp-streams"/>' % condition
    return b"<stream:error>%b</stream:error>" % error + _CLOSE


_FAULTS: Mapping[str, tuple[bytes, Cause, str]] = {
    _FORBIDDEN: (b"restricted-xml", Cause.PROTOCOL_ERROR, "{what} is not allowed in XMPP"),
    _MALFORMED: (b"not-well-formed", Cause.PROTOCOL_ERROR, "not XML: {why}"),
    _TOO_DEEP: (b"policy-violation", Cause.TOO_MUCH_PLAINTEXT, "elements are nested too deeply"),
    TOO_LONG: (b"policy-violation", Cause.TOO_MUCH_PLAINTEXT, "a tag or a text is too long"),
}


def _ends(state: State, cause: Cause, opening: bytes = b"") -> dict[tuple[State, str], Rule]:
    """Return the rules that end a stream; ``opening`` opens our own if it is not open yet.

    ``cause``: what it means if the peer closes its stream.
    """
    table = {
        (state, name): Rule(State.REFUSED, opening + _stream_error(condition), fault, detail)
        for name, (condition, fault, detail) in _FAULTS.items()
    }
    closed = Rule(State.REFUSED, opening + _CLOSE, cause, "the peer closed its stream")
    return {(state, _END): closed, **table}


class _Stream(Negotiation, ABC):
    """What both roles have in common: a stream of XML, whose elements are the messages.

    ``max_line`` limits a tag, and bytes without a tag.
    """

    def __init__(
        self,
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
    ) -> None:
        super().__init__(guard, max_line, max_plain, names)
        self._message: Message | None = None
        self._since_tag = 0
        self._depth = 0
        self._content: str | None = None
        self._name = ""
        self._inner: list[str] = []
        # The peer must not choose the encoding (section 11.6).
        parser = self._parser = expat.ParserCreate("UTF-8", " ")
        # By default, a newer expat may defer parsing an incomplete token.
        getattr(parser, "SetReparseDeferralEnabled", bool)(False)
        parser.XmlDeclHandler = self._on_declaration
        parser.StartNamespaceDeclHandler = self._on_namespace
        parser.StartElementHandler = self._on_start
        parser.EndElementHandler = self._on_end
        parser.CharacterDataHandler = self._on_text
        parser.CommentHandler = lambda _: self._on_forbidden(b"a comment")
        parser.ProcessingInstructionHandler = lambda *_: self._on_forbidden(b"an instruction")
        parser.StartDoctypeDeclHandler = lambda *_: self._on_forbidden(b"a document type")

    def _next_message(self) -> Message | None:
        self._message = None
        while self._message is None:
            is_first = not self._depth and not self._since_tag
            room = self._max_line - self._since_tag
            if is_first and bytes(self._input[:room]).lstrip()[:1] not in (b"", b"<"):
                return Message(_MALFORMED, {b"why": b"it does not begin with a tag"})
            end = self._input.find(b">", 0, room) + 1
            if not end:
                return Message(TOO_LONG) if len(self._input) >= room else None
            data = bytes(self._input[:end])
            del self._input[:end]
            self._since_tag += end
            self._feed(data)
        return self._message

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.Parse(data)
        except expat.ExpatError as error:
            self._message = Message(_MALFORMED, {b"why": str(error).encode()})

    def _on_forbidden(self, what: bytes) -> None:
        self._message = Message(_FORBIDDEN, {b"what": what})

    def _on_declaration(self, version: str, encoding: str | None, standalone: int) -> None:
        self._since_tag = 0

    def _on_namespace(self, prefix: str | None, uri: str | None) -> None:
        if not self._depth and prefix is None:
            self._content = uri

    def _on_text(self, text: str) -> None:
        if text.strip() and self._depth > 1:
            self._inner.append("text")
        elif text.strip():
            self._message = Message(OTHER, {b"name": b"text"})

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        self._since_tag = 0
        self._depth += 1
        if self._depth == 1:
            self._message = self._header(name, attributes)
        elif self._depth == 2:
            self._name, self._inner = name, []
        elif self._depth == 3:
            self._inner.append(name)
        elif self._depth > MAX_DEPTH:
            self._message = Message(_TOO_DEEP)

    def _on_end(self, _: str) -> None:
        self._since_tag = 0
        self._depth -= 1
        if self._depth == 0:
            self._message = Message(_END)
        elif self._depth == 1 and self._message is None:
            self._message = self._element(self._name, self._inner)

    def _header(self, name: str, attributes: Mapping[str, str]) -> Message:
        if name != f"{_STREAMS} stream" or self._content not in _CONTENTS:
            return Message(OTHER, {b"name": _local(name)})
        fields = {
            b"content": self._content.encode(),
            b"addresses": _quote({"from": attributes.get("to"), "to": attributes.get("from")}),
        }
        major = attributes.get("version", "").partition(".")[0]
        return Message(_HEADER if major.strip("0").isdecimal() else _OLD_HEADER, fields)

    @abstractmethod
    def _element(self, name: str, inner: list[str]) -> Message:
        """Return the message that a child of the stream is; ``inner``: its children's names."""


_FEATURES = b"<stream:features>%b</stream:features>" % _tls(b"starttls", b"<required/>")
_ANSWER = _open(b"{content}", b"{id}{addresses}")
_FIRST_ANSWER = _open(b"jabber:client", b"{id}")

_SERVER: Table = {
    (State.START, _HEADER): Rule(State.HELLO, _ANSWER + _FEATURES),
    (State.START, _OLD_HEADER): Rule(
        State.REFUSED,
        _ANSWER + _stream_error(b"unsupported-version"),
        detail="the version of the client's stream is before 1.0",
    ),
    **_ends(State.START, Cause.PROBE, _FIRST_ANSWER),
    (State.START, OTHER): Rule(
        State.REFUSED,
        _FIRST_ANSWER + _stream_error(b"invalid-namespace"),
        detail="{name} does not open an XMPP stream",
    ),
    (State.HELLO, "starttls"): Rule(State.SWITCHED, _tls(b"proceed")),
    (State.HELLO, "starttls …"): Rule(
        State.REFUSED, _tls(b"failure") + _CLOSE, detail="the client's starttls is not empty"
    ),
    **_ends(State.HELLO, Cause.PROBE),
    (State.HELLO, OTHER): Rule(
        State.REFUSED,
        _stream_error(b"policy-violation"),
        Cause.PLAINTEXT,
        "the client sent {name} in plaintext",
    ),
}


class XmppServer(_Stream):
    """The server: its only feature is TLS, which is required.

    ``stream_id``: the stream's id.  An application that continues with XMPP must pass a random one.
    """

    table = _SERVER
    refusal = _stream_error(b"policy-violation")
    unavailable = _open(b"jabber:client", b"") + _stream_error(b"remote-connection-failed")

    def __init__(
        self,
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
        stream_id: str = "tlsdemo",
    ) -> None:
        super().__init__(guard, max_line, max_plain, names)
        self._id = _quote({"id": stream_id})

    def _fill(self, say: bytes, fields: Mapping[bytes, bytes]) -> bytes:
        return super()._fill(say.replace(b"{id}", self._id), fields)

    def _element(self, name: str, inner: list[str]) -> Message:
        if name != f"{_TLS} starttls":
            return Message(OTHER, {b"name": _local(name)})
        return Message("starttls …" if inner else "starttls")


def _refused(cause: Cause, detail: str) -> Rule:
    return Rule(State.REFUSED, _CLOSE, cause, detail)


def _ends_for_client(state: State) -> dict[tuple[State, str], Rule]:
    return {
        **_ends(state, Cause.UPGRADE_REFUSED),
        (state, "error"): _refused(Cause.UPGRADE_REFUSED, "the server sent the error {error}"),
        (state, OTHER): _refused(Cause.PROTOCOL_ERROR, "the server sent an unexpected {name}"),
    }


_CLIENT: Table = {
    (State.START, CONNECTED): Rule(State.HELLO, _open(b"jabber:client", b"{to}")),
    (State.HELLO, _HEADER): Rule(State.GREETED),
    (State.HELLO, _OLD_HEADER): _refused(
        Cause.NO_STARTTLS, "the version of the server's stream is before 1.0"
    ),
    (State.GREETED, "features with starttls"): Rule(State.REQUESTED, _tls(b"starttls")),
    (State.GREETED, "features"): _refused(Cause.NO_STARTTLS, "the server does not offer starttls"),
    (State.REQUESTED, "proceed"): Rule(State.SWITCHED),
    (State.REQUESTED, "failure"): _refused(
        Cause.UPGRADE_REFUSED, "the server answered starttls with failure"
    ),
    **_ends_for_client(State.HELLO),
    **_ends_for_client(State.GREETED),
    **_ends_for_client(State.REQUESTED),
}


class XmppClient(_Stream):
    """The client: continues only if the server offers TLS and grants it.

    ``to``: the domain that the client connects to, by default ``names.peer``.
    """

    table = _CLIENT
    is_client = True
    refusal = _CLOSE

    def __init__(
        self,
        guard: bool = True,
        max_line: int | None = None,
        max_plain: int = MAX_PLAIN,
        names: Names = DEFAULT_NAMES,
        to: str | None = None,
    ) -> None:
        super().__init__(guard, max_line, max_plain, names)
        # A domain is compared without a dot at its end (RFC 7622, section 3.2).
        self._to = _quote({"to": without_last_dot(names.peer if to is None else to)})

    def start(self) -> list[Command]:
        """Return the command that sends the header of the client's stream."""
        return self._handle(Message(CONNECTED, {b"to": self._to}))

    def _may_begin_message(self, rest: bytes) -> bool:
        # Until TLS has been requested, elements may be separated by white space (section 4.6.1).
        return bool(rest) and not rest.isspace()

    def _element(self, name: str, inner: list[str]) -> Message:
        fields = {b"name": _local(name)}
        if name == f"{_STREAMS} features":
            offered = f"{_TLS} starttls" in inner
            return Message("features with starttls" if offered else "features", fields)
        if name == f"{_STREAMS} error":
            return Message("error", {b"error": _local(inner[0]) if inner else b"unknown"})
        if name in (f"{_TLS} proceed", f"{_TLS} failure"):
            return Message(name.rpartition(" ")[2], fields)
        return Message(OTHER, fields)


DIALECT = Dialect(name="xmpp", server=XmppServer, client=XmppClient, source="RFC 6120")
