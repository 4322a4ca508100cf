"""PURE.  How two peers agree, in plain bytes, that TLS starts now: one protocol a file."""
