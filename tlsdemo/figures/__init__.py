"""PURE.  What is counted on both ends, what can be told from it, and how it is written."""
