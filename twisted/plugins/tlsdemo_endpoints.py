"""Endpoint strings for STARTTLS, for every program that takes one: starttls:smtp:tcp:HOST:25."""

from __future__ import annotations

from tlsdemo.tls.upgrade_endpoint_strings import ClientParser, ServerParser

client = ClientParser()
server = ServerParser()
