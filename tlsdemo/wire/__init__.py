"""TLS on the wire: record headers (RFC 8446, section 5; RFC 5246, section 6), never secrets."""
