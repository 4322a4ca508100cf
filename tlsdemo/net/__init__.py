"""Addresses, sockets, resource limits, files and child processes; nothing specific to TLS."""
