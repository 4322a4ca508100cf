"""The load generator: many TLS clients in several processes, told what to do by a controller."""
