"""Reports: results become numbers, and numbers become text, tables and JSON."""
