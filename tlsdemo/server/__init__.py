"""The server: joins a mode and a role for each connection, and keeps the books."""
