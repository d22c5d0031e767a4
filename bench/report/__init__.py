"""Writes docs/performance.md of what was measured. Measures nothing."""
