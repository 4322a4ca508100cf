"""The laboratory: scenarios, the stacks of other ecosystems, findings, and other versions."""
