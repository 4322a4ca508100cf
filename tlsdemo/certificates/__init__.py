"""Certificates as files, and a certificate authority for demonstrations."""
