"""The reference app, a module for each thing served; `access` and `html` lie below."""
