"""Virtual environments with other versions, in which tlsdemo is run for comparison.

The baseline is the environment that this process runs in; the others are the candidates.
"""
