"""The sections of docs/performance.md, in order."""

from bench.report.cpython import asgi, growth, imports, router
from bench.report.wasm import argon2, soak, startup, worker, workerd

__all__ = ["SECTIONS"]

SECTIONS = {
    "workerd": ("On workerd", workerd, "python -m bench.workerd"),
    "worker": ("In the Worker", worker, "python -m bench.worker"),
    "startup": ("Start of a Worker", startup, "python -m bench.startup"),
    "soak": ("Memory in the Worker", soak, "python -m bench.soak"),
    "argon2": ("Argon2 in the Worker", argon2, "python -m bench.argon2"),
    "asgi": ("On CPython, in process", asgi, "python -m bench.asgi --json bench/results/asgi.json"),
    "router": ("Routing alone", router, "python -m bench.router"),
    "imports": ("Import on CPython", imports, "python -m bench.imports"),
    "growth": ("Growth with data", growth, "python -m bench.growth"),
}
"""Title, writer and the command that measures, by the name of the result."""
