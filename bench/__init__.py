"""Measures the framework beside its peers. Knows nothing of tests; nothing imports it but commands."""
