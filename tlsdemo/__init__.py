"""A laboratory and toolbox for securing plain TCP connections in Twisted."""

__version__ = "0.1.0"
