"""Lucia v2 and Kagari on one database, both of them real: what one writes, the other takes."""
