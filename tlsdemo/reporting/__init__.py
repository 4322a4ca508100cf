"""From results to numbers, and from those to text, tables and HTML."""
