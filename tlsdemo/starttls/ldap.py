"""Dialect ``ldap``: the StartTLS operation of RFC 4511, section 4.14.

Everything is BER.  An element consists of a tag, a length and a content.  A message is a sequence
(tag 0x30) of a number, which the answer repeats, an operation, whose tag is its kind, and optional
controls.  The parser is as strict as RFC 4511, section 5.1, and bounded: lengths are definite and
have at most four octets, and only what an upgrade needs is parsed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from tlsdemo.close_reasons import Cause
from tlsdemo.starttls.dialect import Dialect
from tlsdemo.starttls.negotiation import CONNECTED, OTHER, Message, Negotiation, Rule, State, Table

_START_TLS = b"1.3.6.1.4.1.1466.20037"
_NOTICE_OF_DISCONNECTION = b"1.3.6.1.4.1.1466.20036"

_BOOLEAN, _INTEGER, _OCTETS, _ENUMERATED = 0x01, 0x02, 0x04, 0x0A
_SEQUENCE, _CONTROLS = 0x30, 0xA0
_EXTENDED_REQUEST, _EXTENDED_RESPONSE = 0x77, 0x78
_REQUEST_NAME, _RESPONSE_NAME = 0x80, 0x8A

_SUCCESS, _PROTOCOL_ERROR, _UNAVAILABLE_CRITICAL_EXTENSION = 0, 2, 12
_CONFIDENTIALITY_REQUIRED, _UNAVAILABLE = 13, 52

_REQUESTS: Mapping[int, str] = {
    0x42: "UnbindRequest",
    0x4A: "DelRequest",
    0x50: "AbandonRequest",
    0x60: "BindRequest",
    0x63: "SearchRequest",
    0x66: "ModifyRequest",
    0x68: "AddRequest",
    0x6C: "ModifyDNRequest",
    0x6E: "CompareRequest",
    _EXTENDED_REQUEST: "ExtendedRequest",
}
_RESPONSES: Mapping[str, int] = {
    "DelRequest": 0x6B,
    "BindRequest": 0x61,
    "SearchRequest": 0x65,
    "ModifyRequest": 0x67,
    "AddRequest": 0x69,
    "ModifyDNRequest": 0x6D,
    "CompareRequest": 0x6F,
}

_LONGEST_MESSAGE = 1 << 14
_MOST_ELEMENTS = 16
_MOST_LENGTH_OCTETS = 4
_UNSOLICITED = 0
"""The number of a message that answers no request."""

_CONTROL = ([_OCTETS], [_OCTETS, _BOOLEAN], [_OCTETS, _OCTETS], [_OCTETS, _BOOLEAN, _OCTETS])
"""The elements of a control: its type, its criticality and its value."""

_TOO_LONG = "too long a message"


class _Malformed(Exception):
    """The input violates RFC 4511."""


def _element(tag: int, content: bytes) -> bytes:
    """Encode an element of less than 128 bytes, which is all that we send."""
    return bytes([tag, len(content)]) + content


def _number(value: int) -> bytes:
    """Encode the content of an INTEGER in as few bytes as possible, sign included."""
    return value.to_bytes(value.bit_length() // 8 + 1, "big")


def _message(number: int, operation: bytes) -> bytes:
    return _element(_SEQUENCE, _element(_INTEGER, _number(number)) + operation)


def _result(response: int, code: int, text: bytes, name: bytes = b"") -> bytes:
    content = (
        _element(_ENUMERATED, bytes([code])) + _element(_OCTETS, b"") + _element(_OCTETS, text)
    )
    return _element(response, content + (_element(_RESPONSE_NAME, name) if name else b""))


def _extent(data: bytes) -> tuple[int, int] | None:
    """Return where the first element's content begins and ends; ``None`` if it is not known yet."""
    if len(data) < 2:
        return None
    octets = data[1] & 0x7F if data[1] >= 0x80 else 0
    if data[1] == 0x80 or octets > _MOST_LENGTH_OCTETS:
        raise _Malformed(f"a length begins with {data[1]:#x}")
    begin = 2 + octets
    if len(data) < begin:
        return None
    return begin, begin + (int.from_bytes(data[2:begin], "big") if octets else data[1])


def _elements(content: bytes) -> list[tuple[int, bytes]]:
    """Return the tag and the content of each element in ``content``."""
    found: list[tuple[int, bytes]] = []
    while content:
        extent = _extent(content)
        if len(found) == _MOST_ELEMENTS:
            raise _Malformed("too many elements")
        if extent is None or extent[1] > len(content):
            raise _Malformed("an element is longer than the one that contains it")
        found.append((content[0], content[extent[0] : extent[1]]))
        content = content[extent[1] :]
    return found


def _natural(content: bytes) -> int:
    """Decode an INTEGER or ENUMERATED that is a message's number or a result code."""
    number = int.from_bytes(content[:4], "big")
    if content != _number(number):
        raise _Malformed("a number is out of range")
    return number


def _is_critical(controls: bytes) -> bool:
    """Whether one of ``controls`` must be recognized; all others are ignored (section 4.1.11)."""
    found = False
    for tag, control in _elements(controls):
        elements = _elements(control)
        tags = [tag for tag, _ in elements]
        if tag != _SEQUENCE or tags not in _CONTROL:
            raise _Malformed("a control is malformed")
        for criticality in (content for tag, content in elements if tag == _BOOLEAN):
            if len(criticality) != 1:
                raise _Malformed("a control is malformed")
            found = found or criticality != b"\0"
    return found


class _Messages(Negotiation, ABC):
    """What both roles have in common: messages."""

    def _next_message(self) -> Message | None:
        try:
            return self._read_message()
        except _Malformed as error:
            return Message(OTHER, {b"number": b"%d" % _UNSOLICITED, b"why": str(error).encode()})

    def _read_message(self) -> Message | None:
        head = bytes(self._input[: 2 + _MOST_LENGTH_OCTETS])
        if head and head[0] != _SEQUENCE:
            raise _Malformed(f"a message begins with {head[0]:#x}")
        extent = _extent(head)
        if extent is None:
            return None
        begin, end = extent
        if end > _LONGEST_MESSAGE:
            return Message(_TOO_LONG, {b"number": b"%d" % _UNSOLICITED, b"length": b"%d" % end})
        if len(self._input) < end:
            return None
        content = bytes(self._input[begin:end])
        del self._input[:end]
        elements = _elements(content)
        tags = [tag for tag, _ in elements]
        if tags[:1] != [_INTEGER] or len(tags) < 2 or tags[2:] not in ([], [_CONTROLS]):
            raise _Malformed("a message is not a number, an operation and optional controls")
        number = _natural(elements[0][1])
        return self._parse(number, *elements[1], b"".join(each for _, each in elements[2:]))

    @abstractmethod
    def _parse(self, number: int, tag: int, content: bytes, controls: bytes) -> Message:
        """Return the message that the table knows this one as."""


_DISCONNECTION = _result(
    _EXTENDED_RESPONSE, _PROTOCOL_ERROR, b"protocol error", _NOTICE_OF_DISCONNECTION
)


def _server_table() -> Table:
    def answer(response: int, code: int, text: bytes) -> Rule:
        return Rule(State.START, _result(response, code, text))

    table = {
        (State.START, name): answer(response, _CONFIDENTIALITY_REQUIRED, b"StartTLS comes first")
        for name, response in _RESPONSES.items()
    }
    return table | {
        (State.START, "StartTLS"): Rule(State.SWITCHED, _result(_EXTENDED_RESPONSE, _SUCCESS, b"")),
        (State.START, "StartTLS with a critical control"): answer(
            _EXTENDED_RESPONSE, _UNAVAILABLE_CRITICAL_EXTENSION, b"no control is recognized"
        ),
        (State.START, "ExtendedRequest"): answer(
            _EXTENDED_RESPONSE, _PROTOCOL_ERROR, b"only StartTLS is supported"
        ),
        (State.START, "AbandonRequest"): Rule(State.START),
        (State.START, "UnbindRequest"): Rule(
            State.REFUSED, b"", Cause.PROBE, "the client sent UnbindRequest"
        ),
        (State.START, _TOO_LONG): Rule(
            State.REFUSED, _DISCONNECTION, Cause.TOO_MUCH_PLAINTEXT, "a message of {length} bytes"
        ),
        (State.START, OTHER): Rule(State.REFUSED, _DISCONNECTION, detail="not LDAP: {why}"),
    }


class LdapServer(_Messages):
    """The server: rejects every operation but StartTLS with confidentialityRequired.

    The table contains operations; they are sent in messages that have the request's number.
    """

    table = _server_table()
    refusal = _message(_UNSOLICITED, _DISCONNECTION)
    unavailable = _message(
        _UNSOLICITED,
        _result(_EXTENDED_RESPONSE, _UNAVAILABLE, b"try again later", _NOTICE_OF_DISCONNECTION),
    )

    def _fill(self, say: bytes, fields: Mapping[bytes, bytes]) -> bytes:
        return _message(int(fields[b"number"]), say) if say else b""

    def _parse(self, number: int, tag: int, content: bytes, controls: bytes) -> Message:
        if tag not in _REQUESTS or number == _UNSOLICITED:
            raise _Malformed(f"message {number} has an operation of tag {tag:#x}")
        name = _REQUESTS[tag]
        if tag == _EXTENDED_REQUEST and _elements(content) == [(_REQUEST_NAME, _START_TLS)]:
            name = "StartTLS with a critical control" if _is_critical(controls) else "StartTLS"
        return Message(name, {b"number": b"%d" % number})


_NUMBER = 1

_CLIENT: Table = {
    (State.START, CONNECTED): Rule(
        State.REQUESTED,
        _message(_NUMBER, _element(_EXTENDED_REQUEST, _element(_REQUEST_NAME, _START_TLS))),
    ),
    (State.REQUESTED, "success"): Rule(State.SWITCHED),
    (State.REQUESTED, "result"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server answered StartTLS with {result}"
    ),
    (State.REQUESTED, "notice of disconnection"): Rule(
        State.REFUSED, b"", Cause.UPGRADE_REFUSED, "the server disconnects, with {result}"
    ),
    (State.REQUESTED, "another notification"): Rule(State.REQUESTED),
    (State.REQUESTED, "another message"): Rule(
        State.REFUSED, detail="the server sent message {number}, of name {name}"
    ),
    (State.REQUESTED, _TOO_LONG): Rule(
        State.REFUSED, b"", Cause.TOO_MUCH_PLAINTEXT, "a message of {length} bytes"
    ),
    (State.REQUESTED, OTHER): Rule(State.REFUSED, detail="no answer to StartTLS: {why}"),
}


class LdapClient(_Messages):
    """The client: continues only if the server answers StartTLS, and nothing else, with success."""

    table = _CLIENT
    is_client = True

    def _parse(self, number: int, tag: int, content: bytes, controls: bytes) -> Message:
        elements = _elements(content) if tag == _EXTENDED_RESPONSE else []
        if [tag for tag, _ in elements[:3]] != [_ENUMERATED, _OCTETS, _OCTETS]:
            raise _Malformed(f"an operation of tag {tag:#x}, or one without a result")
        code, text = _natural(elements[0][1]), elements[2][1]
        name = dict(elements[3:]).get(_RESPONSE_NAME, b"")
        fields = {b"number": b"%d" % number, b"name": name, b"result": b"%d %b" % (code, text)}
        if number == _UNSOLICITED and name == _NOTICE_OF_DISCONNECTION:
            return Message("notice of disconnection", fields)
        if number == _UNSOLICITED and name:
            return Message("another notification", fields)
        if number != _NUMBER or name not in (b"", _START_TLS):
            return Message("another message", fields)
        return Message("result" if code else "success", fields)


DIALECT = Dialect(name="ldap", server=LdapServer, client=LdapClient, source="RFC 4511")
