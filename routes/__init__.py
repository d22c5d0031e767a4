"""The reference app: one module for each thing served. `access` and `html` lie below the others."""
