"""PURE.  How two peers agree, in plaintext, to start TLS: one file for each protocol."""
