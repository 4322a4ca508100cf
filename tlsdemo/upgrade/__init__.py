"""PURE.  How two peers agree, in plain bytes, that TLS starts now: one dialect a file."""
