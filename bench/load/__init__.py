"""The load: connections whose records are encrypted before anything is measured."""
