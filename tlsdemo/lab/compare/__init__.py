"""Environments with other versions, in which tlsdemo runs for comparison."""
