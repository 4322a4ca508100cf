"""What is measured: one measure a module, with its cases as data."""
