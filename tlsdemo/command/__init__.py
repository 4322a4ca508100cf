"""What the commands share, and the one that is no service; with the taps, what wires the whole."""
