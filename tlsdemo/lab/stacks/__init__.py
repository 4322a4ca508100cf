"""TLS stacks of other ecosystems: servers, and a client, each of them a separate program."""
