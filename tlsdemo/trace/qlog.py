"""Traces in qlog: JSON Text Sequences (RFC 7464) by draft-ietf-quic-qlog-main-schema.

All connections of a server are in one file, so each event has the group of its connection, and a
time of its own in milliseconds since 1970.  So what one start of a server appends to the file of
another needs no header of its own.  docs/qlog-tlsdemo.cddl has the schema of the events.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from tlsdemo.close_reasons import CloseReason
from tlsdemo.trace.model import Arrow, End, Mark
from tlsdemo.trace.timeline import Fact, ToldText

EVENT_SCHEMA = "urn:x-tlsdemo:qlog:events:tlsdemo"
"""The URI of our events; those that begin with urn:ietf: are for RFCs."""

RECORD_SEPARATOR = "\x1e"
"""What each text of a sequence begins with."""

_HEADER = {
    "file_schema": "urn:ietf:params:qlog:file:sequential",
    "serialization_format": "application/qlog+json-seq",
    "title": "connections of tlsdemo",
    "trace": {
        "common_fields": {
            "time_format": "relative_to_epoch",
            "reference_time": {"clock_type": "system", "epoch": "1970-01-01T00:00:00.000Z"},
        },
        "vantage_point": {"type": "server"},
        "event_schemas": [EVENT_SCHEMA],
    },
}

_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")

_OPENSSL_CIPHER = re.compile(
    r"(?P<exchange>ECDHE|DHE)-(?P<proof>ECDSA|RSA)-"
    r"(?:AES(?P<bits>128|256)-(?P<gcm>GCM-)?(?P<hash>SHA\d*)|(?P<chacha>CHACHA20-POLY1305))"
)


def header() -> str:
    """Return the text that a file begins with."""
    return _text(_HEADER)


def begin(
    number: int, peer: str, facts: Mapping[str, Fact], began: datetime
) -> tuple[str, Callable[[Mark | Arrow], str]]:
    """Return the first text of a connection, and a function that returns the text of what is seen.

    ``number`` and ``began``, the time in UTC, make the group; ``facts`` are those of the whole
    connection.
    """
    start = began.timestamp() * 1000
    group = f"{number}@{began:%Y-%m-%dT%H:%M:%S.%f}Z"
    told = {"connection": number, **_address(peer), **facts}

    def text_of(seen: Mark | Arrow) -> str:
        time = start + seen.at * 1000
        if isinstance(seen, Mark):
            return _event(time, event_type(seen.event.name), group, _data(seen))
        record = seen.record
        sent = "sent" if seen.sender is End.SERVER else "received"
        if not record.messages:
            # Most are so, and json takes several times as long; there is nothing to escape.
            return (
                f'{RECORD_SEPARATOR}{{"time": {time:.3f}, "name": "tlsdemo:record_{sent}", '
                f'"group_id": "{group}", "data": {{"content_type": "{record.kind.value}", '
                f'"length": {record.length}, "version": "{record.version}", '
                f'"encrypted": {"true" if record.encrypted else "false"}}}}}'
            )
        data = {
            "content_type": record.kind.value,
            "length": record.length,
            "version": record.version,
            "encrypted": record.encrypted,
            "messages": list(record.messages),
        }
        return _event(time, f"record_{sent}", group, data)

    return _event(start, "connection_started", group, told), text_of


def attributes_of(agreed: Any) -> dict[str, object]:
    """Return what was agreed on a connection by OpenTelemetry's names.

    ``agreed`` is a :class:`~tlsdemo.tls.ConnectionInfo`.  A cipher is named only if its name in
    IANA's registry is known.
    """
    name, _, version = agreed.version.partition("v")
    found = {
        "tls.protocol.name": name.lower(),
        "tls.protocol.version": version,
        "tls.cipher": iana_cipher(agreed.cipher),
        "tls.curve": agreed.group,
        "tls.next_protocol": agreed.alpn,
        "tls.client.subject": agreed.peer,
        "server.address": agreed.sni,
    }
    return {key: value for key, value in found.items() if value}


def iana_cipher(openssl: str) -> str | None:
    """Return the name in IANA's registry of a cipher suite by OpenSSL's name; None if unknown.

    >>> iana_cipher("ECDHE-RSA-AES128-GCM-SHA256")
    'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'
    """
    if openssl.startswith("TLS_"):
        return openssl
    parts = _OPENSSL_CIPHER.fullmatch(openssl)
    if parts is None:
        return None
    mode = "GCM" if parts["gcm"] else "CBC"
    cipher = (
        "CHACHA20_POLY1305_SHA256"
        if parts["chacha"]
        else f"AES_{parts['bits']}_{mode}_{parts['hash']}"
    )
    return f"TLS_{parts['exchange']}_{parts['proof']}_WITH_{cipher}"


def _data(mark: Mark) -> dict[str, object]:
    data: dict[str, object] = {"event": mark.event.name}
    if mark.event.name in ("secure", "insecure"):
        data["tls.established"] = mark.event.name == "secure"
    for name, value in mark.event.facts.items():
        source = value.source if isinstance(value, ToldText) else None
        if isinstance(source, CloseReason):
            data.update({"trigger": source.cause.value, "detail": source.detail})
        else:
            data[name] = value
            if name == "agreed" and source is not None:
                data.update(attributes_of(source))
    return data


def _address(peer: str) -> dict[str, Fact]:
    """Return an address and a port; clients of a UNIX socket have none."""
    host, _, port = peer.rpartition(":")
    if host and port.isdecimal():
        return {"client.address": host.strip("[]"), "client.port": int(port)}
    return {}


def event_type(event: str) -> str:
    """Return the type of an event in qlog.

    >>> event_type("handshakeCompleted"), event_type("OpenSSL state")
    ('handshake_completed', 'openssl_state')
    """
    words = _CAPITAL.sub("_", event.replace("OpenSSL", "openssl")).lower()
    return _NOT_IN_NAMES.sub("_", words).strip("_")


def _event(time: float, name: str, group: str, data: Mapping[str, object]) -> str:
    return _text(
        {"time": round(time, 3), "name": f"tlsdemo:{name}", "group_id": group, "data": data}
    )


def _text(value: Mapping[str, object]) -> str:
    return RECORD_SEPARATOR + json.dumps(value)
