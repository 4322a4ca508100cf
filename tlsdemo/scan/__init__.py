"""What is known to go wrong with TLS in Twisted, found in source code that is never imported."""
