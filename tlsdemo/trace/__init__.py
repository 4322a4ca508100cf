"""What was seen of one connection: events on its ends, records on the wire, and their order."""
