"""The peers: the proxies that are measured, and the sink that all of them pass on to."""
