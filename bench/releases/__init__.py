"""What neighbouring releases changed for TLS: the gate between them, and a page of it."""
