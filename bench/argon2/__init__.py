"""Measures Argon2id in the Worker's Python: time and memory, by parameters."""
