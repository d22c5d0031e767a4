"""Another server, real and on loopback, for what asks one. Knows nothing of what it stands for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

__all__ = ["Asked", "Elsewhere", "serve_elsewhere"]


class Asked(NamedTuple):
    """One request that arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Elsewhere:
    """The server's address, and what it was asked, in order."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[Asked] = []


Answer = Callable[[Asked, BaseHTTPRequestHandler], None]
"""Writes the answer to what was asked."""


@contextmanager
def serve_elsewhere(answer: Answer) -> Iterator[Elsewhere]:
    """Serve from a thread until the block ends. Clients that leave are no news."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def parse_request(self) -> bool:
            is_good = super().parse_request()
            if is_good:
                setattr(self, f"do_{self.command}", self.answer)
            return is_good

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            other_server.asked.append(Asked(self.command, self.path, headers, body))
            answer(other_server.asked[-1], self)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Say nothing: whoever asked has gone, as some tests have it."""

    with Server(("127.0.0.1", 0), Handler) as server:
        other_server = Elsewhere(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield other_server
        finally:
            server.shutdown()
            thread.join()
