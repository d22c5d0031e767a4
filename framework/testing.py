"""A test client that behaves like a browser, for an application in this process. Knows no sessions.

`Client` keeps cookies as a browser does and says where its requests come from; `App.request` is
there for a request that is made of nothing but what you give it.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from email.utils import parsedate_to_datetime
from time import time
from types import TracebackType
from typing import Any, Protocol, TypedDict, TypeVar, Unpack, overload

import msgspec

from framework.body_encoding import encode_body
from framework.context import Env
from framework.cookies import SetCookie
from framework.errors import HTTPError
from framework.hosts import host_name
from framework.multipart import FormFields
from framework.origin import SAFE_METHODS
from framework.request import split_url
from framework.response import Header, Response
from framework.shared_headers import pairs_of

__all__ = ["Application", "Client", "Content", "bytes_of", "json_of", "text_of"]

T = TypeVar("T")

_FRAMEWORK = os.path.join(os.path.dirname(__file__), "")
_SAME = ("sec-fetch-site", "same-origin")


class Application(Protocol):
    """What a `Client` asks: an `App`, or anything that answers as `App.request` does."""

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Iterable[Header],
        body: bytes,
        env: Env | None,
    ) -> Response:
        """Return the answer to a request; *path* is an absolute URL."""


class Content(TypedDict, total=False):
    """What a `Client` sends along with a request, by the names that `Client.request` has for it."""

    headers: Mapping[str, str] | Iterable[Header]
    json: Any
    form: FormFields | None
    body: bytes | str | None


def bytes_of(response: Response) -> bytes:
    """Return the body of *response*. Raises `ValueError` for a stream that nobody has read."""
    if not isinstance(response.body, bytes):
        raise ValueError(f"{response!r} is a stream: read it first, as App.request does")
    return response.body


def text_of(response: Response) -> str:
    """Return the body of *response* as text in UTF-8, whatever type it says it has.

    Raises `UnicodeDecodeError` for other bytes, and `ValueError` for a stream that nobody has read.
    """
    return bytes_of(response).decode()


@overload
def json_of(response: Response, type: type[T]) -> T: ...


@overload
def json_of(response: Response, type: Any = Any) -> Any: ...


def json_of(response: Response, type: Any = Any) -> Any:
    """Return the JSON in *response*, as a *type* if one is given.

    Raises `msgspec.ValidationError` where it does not fit the type, `msgspec.DecodeError` where it
    is no JSON, and `ValueError` where the answer does not call itself JSON.
    """
    media_type = (response.header("content-type") or "").partition(";")[0]
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise ValueError(f"{response!r} is no JSON but {media_type or 'of no type'}")
    return msgspec.json.decode(bytes_of(response), type=type)


class Client:
    """A browser that asks *app*, in this process, for pages of the site *base_url*.

    *env* holds the bindings by name. *headers* go along with every request, in the place of what the
    browser would have sent under the same names. With *raises*, what a handler or a guard raises by
    mistake, and is 500 or 503 for a client, is raised by the request: ``pytest --pdb`` stops there. The
    logger ``kagari`` tells of it, and must not be off.

    - Cookies are kept and sent back by a browser's rules: host-only, by path, ``Secure`` and the
      ``__Host-`` and ``__Secure-`` prefixes on https alone, gone with ``Max-Age=0`` or an ``Expires``
      in the past. No other age ends one: a test that moves its clock says itself when the browser
      forgets (`clear_cookies`).
    - Every request says ``Sec-Fetch-Site: same-origin``, unsafe ones ``Origin`` too. With another ``Origin``
      among the headers, that alone says where it comes from.
    - Redirects are not followed.

    Raises `ValueError` for a *base_url* that is no http(s) origin, and `TypeError` for an *env* without
    names and for headers that are no text. A test of the reference app, in the
    project's folder:

        from pathlib import Path

        from app import app
        from framework.local.sqlite import SQLiteDatabase
        from framework.testing import Client, json_of

        SCHEMA = Path("schema.sql").read_text()


        async def test_who_signs_up_is_signed_in() -> None:
            database = SQLiteDatabase()
            database.apply_schema(SCHEMA)
            client = Client(app, env={"DB": database})

            await client.post("/sign-up", json={"username": "alice", "password": "correct horse"})

            assert json_of(await client.get("/me"))["user"]["username"] == "alice"
            database.close()
    """

    def __init__(
        self,
        app: Application,
        env: Env | None = None,
        base_url: str = "http://localhost",
        *,
        headers: Mapping[str, str] | Iterable[Header] = (),
        raises: bool = False,
    ) -> None:
        if env is not None and (isinstance(env, str) or not hasattr(env, "__getitem__")):
            raise TypeError('env holds the bindings by name: write env={"DB": database}')
        scheme, host, path, query = split_url(base_url)
        if scheme not in {"http", "https"} or not host or path != "/" or query:
            raise ValueError(f"{base_url!r} is no origin: write http://host or https://host")
        self.origin: str = f"{scheme}://{host}"
        """Scheme, host and port that this browser looks at."""
        self._app = app
        self._env = env
        self._headers = _texts(headers)
        self._raises = raises
        self._jar = _Jar(scheme == "https", host_name(host.lower()))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies held, value by name, whatever their path. A copy."""
        return {cookie.name: cookie.value for cookie in self._jar.cookies()}

    def clear_cookies(self) -> None:
        """Forget every cookie, as a browser does when it is told to."""
        self._jar = self._jar.empty()

    def set_cookie(self, name: str, value: str, *, path: str = "/") -> None:
        """Hold a cookie that no answer has set, below *path*. Raises `ValueError` as `SetCookie` does."""
        cookie = SetCookie(name=name, value=value, path=path)
        self._jar.keep(_Cookie(cookie.name, cookie.value, cookie.path))

    def fork(self, *, with_cookies: bool = False) -> "Client":
        """Return a second browser at the same site: with no cookies, or with a copy of these."""
        other = Client(
            self._app, self._env, self.origin, headers=self._headers, raises=self._raises
        )
        for cookie in self._jar.cookies() if with_cookies else ():
            other._jar.keep(cookie)
        return other

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | Iterable[Header] = (),
        json: Any = None,
        form: FormFields | None = None,
        body: bytes | str | None = None,
    ) -> Response:
        """Return the answer to a request for *path*, which is of this site, its query included.

        *json* is anything msgspec encodes but None, which sends nothing (write ``body="null"``).
        *form* becomes an urlencoded body, or a multipart one if there is a `File` among its values:
        ``form={"photo": File("a.png", "image/png", data)}``. *body* is sent as it is. *headers*
        replace what would have been sent under the same names. Raises `ValueError` for a path
        that does not start with ``/``, and for more than one of *json*, *form* and *body*, and `TypeError`
        for what none of these can send.

        The repr of an answer that is a problem+json shows it, so that a test that fails says why.
        """
        if not path.startswith("/"):
            raise ValueError(f"{path!r} is no path of this site: it starts with /")
        if not isinstance(body, bytes | bytearray | memoryview | str | None):
            kind = type(body).__name__
            raise TypeError(f"body is bytes or text, not a {kind}: json= and form= take others")
        data, media_type = encode_body(json, form, body)
        types = [] if media_type is None else [("content-type", media_type)]
        given = _replaced(self._headers, _texts(headers))
        usual = self._usual_headers(method, path)
        if any(self._is_another_origin(*pair) for pair in given):
            usual.remove(_SAME)
        with _faults(self._raises) as faults:
            response = await self._app.request(
                method,
                self.origin + path,
                headers=_replaced([*usual, *types], given),
                body=data,
                env=self._env,
            )
        if response.status >= 500 and faults:
            raise faults[-1]
        for name, value in response.headers:
            if name == "set-cookie":
                self._jar.receive(value, path)
        return _Problem.of(response) if _is_problem(response) else response

    async def get(
        self, path: str, *, headers: Mapping[str, str] | Iterable[Header] = ()
    ) -> Response:
        """Return the answer to a GET; see `request`."""
        return await self.request("GET", path, headers=headers)

    async def post(self, path: str, **content: Unpack[Content]) -> Response:
        """Return the answer to a POST with *content*, as `request` takes it."""
        return await self.request("POST", path, **content)

    async def put(self, path: str, **content: Unpack[Content]) -> Response:
        """Return the answer to a PUT with *content*, as `request` takes it."""
        return await self.request("PUT", path, **content)

    async def patch(self, path: str, **content: Unpack[Content]) -> Response:
        """Return the answer to a PATCH with *content*, as `request` takes it."""
        return await self.request("PATCH", path, **content)

    async def delete(self, path: str, **content: Unpack[Content]) -> Response:
        """Return the answer to a DELETE with *content*, as `request` takes it."""
        return await self.request("DELETE", path, **content)

    def _is_another_origin(self, name: str, value: str) -> bool:
        """Return whether such a header says that a request comes from another site."""
        return name.lower() == "origin" and value not in {self.origin, "null"}

    def _usual_headers(self, method: str, path: str) -> list[Header]:
        headers = [_SAME]
        if method not in SAFE_METHODS:
            headers.append(("origin", self.origin))
        cookie = self._jar.header(path)
        return [*headers, ("cookie", cookie)] if cookie else headers

    def __repr__(self) -> str:
        return f"<Client of {self.origin}, {len(self.cookies)} cookies>"


class _Problem(Response):
    """An error that a test reads: the answer, whose repr shows what it says."""

    __slots__ = ()

    @classmethod
    def of(cls, response: Response) -> "_Problem":
        """Return *response* as one."""
        made = cls.__new__(cls)
        made.status, made.headers, made.body = response.status, response.headers, response.body
        return made

    def __repr__(self) -> str:
        return f"<Response {self.status}: {bytes_of(self).decode(errors='replace')}>"


def _is_problem(response: Response) -> bool:
    media_type = response.header("content-type") or ""
    return media_type.startswith("application/problem+json") and isinstance(response.body, bytes)


@contextmanager
def _faults(are_wanted: bool) -> Iterator[list[BaseException]]:
    """Collect what is logged with a traceback, by this request alone, and was not raised on purpose."""
    if not are_wanted:
        yield []
        return
    collector = _Collector(logging.ERROR)
    logger = logging.getLogger("kagari")
    before = _collecting.set(collector)
    logger.addHandler(collector)
    try:
        yield collector.found
    finally:
        logger.removeHandler(collector)
        _collecting.reset(before)


class _Collector(logging.Handler):
    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        _, error, traceback = record.exc_info or (None, None, None)
        if error is None or isinstance(error, HTTPError) or not _came_here(traceback):
            return
        if _collecting.get() is self:  # many requests are under way, and log to one logger
            self.found.append(error.with_traceback(traceback))


def _came_here(traceback: TracebackType | None) -> bool:
    """Return whether an error reached the framework. The cause of an `HTTPError` was caught before that."""
    return traceback is None or traceback.tb_frame.f_code.co_filename.startswith(_FRAMEWORK)


_collecting: ContextVar[_Collector | None] = ContextVar("collecting", default=None)


def _replaced(headers: list[Header], by: list[Header]) -> list[Header]:
    """Return *headers* and *by*, which stand in the place of those of the same names."""
    names = {name.lower() for name, _ in by}
    return [*(pair for pair in headers if pair[0].lower() not in names), *by]


def _texts(headers: Mapping[str, str] | Iterable[Header]) -> list[Header]:
    """Return *headers* as pairs. Raises `TypeError` where they are none, or no text."""
    pairs = [] if isinstance(headers, str) else list(pairs_of(headers))
    if isinstance(headers, str) or not all(isinstance(pair, tuple | list) for pair in pairs):
        raise TypeError("headers are a dict, or pairs of a name and a text")
    for name, value in pairs:
        if not isinstance(value, str):
            raise TypeError(f"the header {name!r} is text, not a {type(value).__name__}")
    return pairs


class _Cookie(msgspec.Struct, frozen=True):
    """One cookie that a browser holds."""

    name: str
    value: str
    path: str

    def __repr__(self) -> str:
        return f"<cookie {self.name} of {self.path}>"


class _Jar:
    """The cookies of one site, kept by RFC 6265bis, section 5.6 to 5.8."""

    def __init__(self, is_secure: bool, host: str) -> None:
        self._is_secure = is_secure
        self._host = host
        self._cookies: dict[tuple[str, str], _Cookie] = {}

    def empty(self) -> "_Jar":
        """Return a jar for the same site with nothing in it."""
        return _Jar(self._is_secure, self._host)

    def cookies(self) -> list[_Cookie]:
        """Return what is held, the longest path last."""
        return sorted(self._cookies.values(), key=lambda cookie: len(cookie.path))

    def keep(self, cookie: _Cookie) -> None:
        """Hold *cookie*, in place of one of its name and path."""
        self._cookies[cookie.name, cookie.path] = cookie

    def receive(self, header: str, request_path: str) -> None:
        """Do what a Set-Cookie header says, or nothing where a browser would refuse it."""
        pair, *rest = header.split(";")
        name, equals, value = pair.partition("=")
        attributes = _attributes(rest)
        given = attributes.get("path", "")
        path = given if given.startswith("/") else _default_path(request_path)
        cookie = _Cookie(name.strip(" \t"), value.strip(" \t"), path)
        if not equals or not cookie.name or not self._takes(cookie.name, attributes):
            return
        if _is_over(attributes):
            self._cookies.pop((cookie.name, cookie.path), None)
        else:
            self.keep(cookie)

    def header(self, request_path: str) -> str:
        """Return the Cookie header for a request, the longest path first; empty for none."""
        asked = _without_query(request_path)
        sent = [cookie for cookie in self.cookies() if _path_matches(asked, cookie.path)]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in reversed(sent))

    def _takes(self, name: str, attributes: Mapping[str, str]) -> bool:
        """Return whether a browser at this site keeps such a cookie."""
        domain = attributes.get("domain", "").lstrip(".").lower()
        if domain and domain != self._host and not self._host.endswith("." + domain):
            return False
        prefix = name.lower()
        if prefix.startswith("__host-") and (domain or attributes.get("path") != "/"):
            return False
        asks_for_secure = prefix.startswith(("__host-", "__secure-"))
        is_marked = "secure" in attributes
        return self._is_secure if is_marked else not asks_for_secure


def _attributes(parts: Iterable[str]) -> dict[str, str]:
    """Return the attributes of a Set-Cookie header, names in lower case; the last of each counts."""
    split = [part.partition("=") for part in parts]
    return {name.strip(" \t").lower(): value.strip(" \t") for name, _, value in split}


def _is_over(attributes: Mapping[str, str]) -> bool:
    """Return whether a cookie with these attributes is to be forgotten. Max-Age goes first."""
    age = attributes.get("max-age", "")
    if age.removeprefix("-").isdecimal():
        return int(age) <= 0
    try:
        return parsedate_to_datetime(attributes.get("expires", "")).timestamp() <= time()
    except ValueError:
        return False


def _without_query(path: str) -> str:
    return path.partition("#")[0].partition("?")[0]


def _default_path(request_path: str) -> str:
    """Return the path of a cookie that names none: the folder of what was asked for."""
    return _without_query(request_path).rpartition("/")[0] or "/"


def _path_matches(asked: str, path: str) -> bool:
    if not asked.startswith(path):
        return False
    return path.endswith("/") or asked[len(path) :][:1] in {"", "/"}
