"""Plug-ins around routes: one module each, imported by its own name, so that none costs unasked.

A layer's module has a function of its name that checks its options and returns the layer, for
`Router.use`. The others, such as `options`, have what layers share.
"""
