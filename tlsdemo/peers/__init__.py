"""Small programs of other ecosystems that secure one connection, and tell their own events."""
