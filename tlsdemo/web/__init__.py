"""The web pages of a server: metrics, health, and the live page."""
