"""The same with other versions: environments of their own, and what differs between two results."""
