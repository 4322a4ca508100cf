"""What a server's connections amount to, for Prometheus and for the live page."""
