"""Plug-ins around routes: one module each, imported by its own name, so that none costs unasked.

Each module has a function that checks its options and returns the layer, for `Router.use`.
"""
