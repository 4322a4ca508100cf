"""Addresses, sockets, limits of the system, files and child processes: what is not about TLS."""
