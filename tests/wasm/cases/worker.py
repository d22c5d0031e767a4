"""A Worker that runs the case whose name is the path, and tells its traceback, or null."""

from typing import Any
from urllib.parse import unquote

from workers import Response, WorkerEntrypoint

from tests.wasm.conformance import run_inside


class Default(WorkerEntrypoint):
    """Runs one case a request."""

    async def fetch(self, request: Any) -> Any:
        """Run it on empty tables."""
        name = unquote(request.url.rpartition("/")[2])
        return Response.from_json({"error": await run_inside(name, self.env)})
