"""The gate: whether other versions change something that an application can notice."""
