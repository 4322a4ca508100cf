"""Load: many connections from several processes, and what became of their bytes."""
