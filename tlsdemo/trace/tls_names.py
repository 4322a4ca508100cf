"""The names of TLS content types, versions, handshake messages and alerts."""

from __future__ import annotations

from tlsdemo.trace.record import Kind

CONTENT_TYPES = {
    20: Kind.CHANGE_CIPHER_SPEC,
    21: Kind.ALERT,
    22: Kind.HANDSHAKE,
    23: Kind.APPLICATION_DATA,
    24: Kind.HEARTBEAT,
}
"""RFC 8446, section 5.1, and RFC 6520 for the heartbeat."""

VERSIONS = {
    0x0300: "SSL 3.0",
    0x0301: "TLS 1.0",
    0x0302: "TLS 1.1",
    0x0303: "TLS 1.2",
    0x0304: "TLS 1.3",
}

CLIENT_HELLO = 1
SERVER_HELLO = 2

MESSAGES = {
    0: "hello_request",
    CLIENT_HELLO: "client_hello",
    SERVER_HELLO: "server_hello",
    3: "hello_verify_request",
    4: "new_session_ticket",
    5: "end_of_early_data",
    8: "encrypted_extensions",
    11: "certificate",
    12: "server_key_exchange",
    13: "certificate_request",
    14: "server_hello_done",
    15: "certificate_verify",
    16: "client_key_exchange",
    20: "finished",
    21: "certificate_url",
    22: "certificate_status",
    23: "supplemental_data",
    24: "key_update",
    25: "compressed_certificate",
    254: "message_hash",
}
"""The types of handshake messages: RFC 8446, section 4; RFC 5246, section 7.4; and extensions."""

RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random value of a server_hello that is a hello_retry_request (RFC 8446, section 4.1.3)."""

RETRY = "hello_retry_request"

LEVELS = {1: "warning", 2: "fatal"}

ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
"""The descriptions of alerts: RFC 8446, section 6, and RFC 5246, section 7.2."""


def version_name(number: int) -> str:
    """Return the name of a version in a record's header."""
    return VERSIONS.get(number, f"0x{number:04x}")


def message_name(number: int) -> str:
    """Return the name of a type of handshake message."""
    return MESSAGES.get(number, f"message {number}")


def alert_name(level: int, description: int) -> str:
    """Return the level and the description of an alert."""
    return f"{LEVELS.get(level, level)} {ALERTS.get(description, description)}"
