"""Somebody else's site: a page with forms that send to ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar, Final

__all__ = ["OtherSite", "serve_other_site"]

_FORMS: Final = {
    "/sign-in": {"username": "mallory", "password": "correct horse"},
    "/sign-up": {"username": "mallory", "password": "correct horse"},
    "/notes": {"title": "Planted", "body": "from other_site"},
    "/sign-out": {},
    "/me/delete": {},
}


@dataclass(frozen=True)
class OtherSite:
    """The same page under two names: one is the same site as ours, but for the port."""

    near: str
    far: str


class _Handler(BaseHTTPRequestHandler):
    page: ClassVar[bytes]

    def do_GET(self) -> None:
        """Answer with the page."""
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.send_header("content-length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve_other_site(target: str) -> Iterator[OtherSite]:
    """Serve forms that send to the site *target*, on a port of this machine's loopback."""
    _Handler.page = _page(target).encode()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            port = server.server_port
            yield OtherSite(f"http://localhost:{port}", f"http://127.0.0.1:{port}")
        finally:
            server.shutdown()
            thread.join()


def _page(target: str) -> str:
    forms = "".join(
        f'<form method="post" action="{escape(target + path)}">{_inputs(fields)}'
        f"<button>Send to {path}</button></form>"
        for path, fields in _FORMS.items()
    )
    head = '<title>You have won</title><link rel="icon" href="data:,">'
    return f'<!doctype html><html lang="en">{head}<main><h1>You have won</h1>{forms}</main>'


def _inputs(fields: dict[str, str]) -> str:
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in fields.items()
    )
