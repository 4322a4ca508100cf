"""Traces of connections: events on both ends, TLS records on the wire, and their sequence."""
