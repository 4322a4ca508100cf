"""Certificate files, and a CA for demonstrations."""
