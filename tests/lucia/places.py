"""Where Kagari runs beside Lucia: in this process on SQLite, and in Pyodide on Lucia's own D1."""

import http.client
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from framework.context import Env
from framework.local.sqlite import SQLiteDatabase
from framework.local.stage import stage
from framework.response import Header, Response
from framework.testing import Client
from tests.lucia.app import app
from tests.lucia.process import Lucia, start_lucia
from tests.lucia.schemas import LUCIA, MIGRATION, statements
from tests.wasm.launcher import RunningWorker, serve

__all__ = ["PLACES", "SITE", "Place"]

SITE: Final = "https://example.test"
_ROOT: Final = Path(__file__).parents[2]
_TABLES: Final = ("user", "user_key", "user_session")


class Place(Protocol):
    """A Kagari and a Lucia that see the same rows."""

    lucia: Lucia

    def browser(self, base_url: str = SITE) -> Client:
        """Return a browser at Kagari's site."""

    async def pull(self) -> None:
        """Let Kagari see what Lucia wrote."""

    async def push(self) -> None:
        """Let Lucia see what Kagari wrote."""


class InProcess:
    """Kagari on SQLite. Rows are copied from Lucia's D1 and back."""

    def __init__(self, lucia: Lucia) -> None:
        self.lucia = lucia
        self._sqlite = SQLiteDatabase()
        self._sqlite.apply_schema(LUCIA + MIGRATION)

    def browser(self, base_url: str = SITE) -> Client:
        """Return a browser at Kagari's site."""
        return Client(app, {"DB": self._sqlite}, base_url)

    async def pull(self) -> None:
        """Copy Lucia's rows here."""
        rows = {table: self.lucia.sql(f"SELECT * FROM {table}") for table in _TABLES}
        for table in reversed(_TABLES):
            await self._sqlite.run(f"DELETE FROM {table}")
        for table in _TABLES:
            for row in rows[table]:
                await self._sqlite.run(_insert(table, row), *row.values())

    def close(self) -> None:
        """Close the database here."""
        self._sqlite.close()

    async def push(self) -> None:
        """Copy the rows here to Lucia's D1."""
        for table in reversed(_TABLES):
            self.lucia.sql(f"DELETE FROM {table}")
        for table in _TABLES:
            for row in await self._sqlite.all(dict, f"SELECT * FROM {table}"):
                self.lucia.sql(_insert(table, row), *row.values())


def _insert(table: str, row: dict[str, Any]) -> str:
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"


class InWorker:
    """Kagari in Pyodide, on the same D1 as Lucia."""

    def __init__(self, worker: RunningWorker, lucia: Lucia) -> None:
        self.lucia = lucia
        self._worker = worker

    def browser(self, base_url: str = SITE) -> Client:
        """Return a browser at Kagari's site."""
        return Client(self, None, base_url)

    async def pull(self) -> None:
        """Do nothing: there is one database."""

    async def push(self) -> None:
        """Do nothing: there is one database."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[Header],
        body: bytes,
        env: Env | None,
    ) -> Response:
        """Ask the Worker, as if it stood at the origin of *path*, an absolute URL."""
        del env
        url = urlsplit(path)
        connection = http.client.HTTPConnection(urlsplit(self._worker.url).netloc, timeout=30)
        try:
            connection.putrequest(method, url.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("host", url.netloc)
            for name, value in headers:
                connection.putheader(name, value)
            connection.putheader("x-forwarded-proto", url.scheme)  # Miniflare's way to be told
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            pairs = [(name.lower(), value) for name, value in answer.getheaders()]
            return Response(answer.read(), answer.status, pairs)
        finally:
            connection.close()


@contextmanager
def _in_process(_folder: Path) -> Iterator[Place]:
    with start_lucia() as lucia:
        for statement in statements(LUCIA + MIGRATION):
            lucia.sql(statement)
        place = InProcess(lucia)
        yield place
        place.close()


@contextmanager
def _in_worker(folder: Path) -> Iterator[Place]:
    """Stage the site and serve it. The tables are Lucia's, migrated."""
    shutil.copyfile(Path(__file__).with_name("app.py"), folder / "app.py")
    shutil.copytree(
        _ROOT / "framework", folder / "framework", ignore=shutil.ignore_patterns("__pycache__")
    )
    schema = folder / "lucia.sql"
    schema.write_text(LUCIA + MIGRATION)
    bundle = stage(folder).folder
    with serve(bundle, schema=schema) as worker, start_lucia(worker.url) as lucia:
        yield InWorker(worker, lucia)


PLACES: Final = {"sqlite": _in_process, "wasm": _in_worker}
