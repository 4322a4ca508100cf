"""The protocol on the socket: joins a dialogue, a mode, deadlines, and whoever listens."""
