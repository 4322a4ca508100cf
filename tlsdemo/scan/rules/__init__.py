"""The rules, one file each: what it looks for, an example of it, and the same done right."""
