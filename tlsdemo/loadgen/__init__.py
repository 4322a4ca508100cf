"""The load generator: many connections, opened and used by several worker processes."""
