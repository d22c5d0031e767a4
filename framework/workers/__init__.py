"""The edge that workerd calls. Imports `js`, `pyodide` and `workers`: only inside of the Worker."""

from framework.workers.edge import entrypoint

__all__ = ["entrypoint"]
