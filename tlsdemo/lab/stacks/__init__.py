"""Servers and clients of other ecosystems, each a program of its own."""
