"""What an app written as for another framework is told."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError as Refused
from urllib.request import Request as UrllibRequest
from urllib.request import urlopen

import pytest

from framework import App, Context, HTTPError, Request, Response, public
from framework.errors import NotFound
from framework.local import import_check
from framework.local.advice import ADVICE, advise
from framework.local.environment import make_environment
from framework.local.loading import LoadError, load_app
from framework.local.serve import log_to_terminal, serve
from framework.local.sqlite import SQLiteDatabase

TOP = "from framework import App, Query, Router, Slot, public\nfrom framework.middleware.cors import cors\n\n"
WRITTEN = [
    ("@app.get('/', guard=public, status_code=201)\nasync def show(): ...", "Response.json"),
    ("@app.get('/', dependencies=[public])\nasync def show(): ...", "guard=..."),
    ("@app.get('/', guard=public, tags=['a'])\nasync def show(): ...", "prefix"),
    ("App(title='a')", "kagari openapi"),
    ("app.use(cors(allow_origins=['*']))", "cors([...]"),
    ("app.include_router(Router('/a'))", "app.mount(router)"),
    ("app.mount('/a', Router())", 'Router("/prefix")'),
    ("@App.get('/', guard=public)\nasync def show(): ...", "app = App()"),
    ("@app.route('/')\nasync def show(): ...", "@app.get("),
    ("app.add_middleware(object)", "app.use(layer)"),
    ("@app.middleware('http')\nasync def layer(c, call_next): ...", "app.use(layer)"),
    ("@app.exception_handler(ValueError)\nasync def show(): ...", "@app.on_error"),
    ("app.config['KEY'] = 1", "Bindings"),
    ("@app.on_event('startup')\nasync def show(): ...", "start-up"),
    ("@app.scheduled('17 3 * * *')\nasync def show(): ...", "@app.cron("),
    ("@app.websocket('/')\nasync def show(): ...", "Durable Object"),
    ("@app.get('/', guard=public())\nasync def show(): ...", "guard=public"),
    ("import os; KEY = os.environ['NEVER_SET']", "Bindings"),
    ("Slot('a')", 'Slot("name", Class)'),
    ("app.mount & public", "auth.guard()"),
    ("async def show(limit: int = Query(20)): ...", "Query[int] = 20"),
    ("@app.get('/', guard=public, methods=['GET'])\nasync def show(): ...", "@app.on("),
    ("app.add_url_rule('/', view_func=print)", "@app.get("),
    ("@app.teardown_appcontext\ndef close(error): ...", "app.use(layer)"),
    ("@app.before_first_request\ndef begin(): ...", "start-up"),
    ("App('flaskr', static_folder='static')", "[assets]"),
    ("Router('/a', url_prefix='/b')", 'Router("/prefix")'),
    ("app.mount('/b', Router('/a'))", 'Router("/prefix")'),
    ("@app.get('/', guard=public, endpoint='show')\nasync def show(): ...", "name=..."),
    (
        "@app.get('/', guard=public, strict_slashes=False)\nasync def show(): ...",
        "redirect_slashes",
    ),
    ("app.run(debug=True)", "kagari dev"),
    ("app.test_client()", "framework.testing"),
    ("@app.context_processor\ndef add(): ...", "Jinja"),
    ("from flask_login import login_required", "from-flask.md"),
    ("from django.http import HttpResponse", "from-flask.md"),
    ("from framework import Blueprint", "Router(prefix)"),
    ("from framework import abort", "raise NotFound"),
    ("from framework import render_template", "Response.html(page)"),
    ("from framework import url_for", "c.url_for"),
    ("from framework import jsonify", "as JSON"),
    ("from framework import send_from_directory", "attachment"),
    ("from framework import request; request.form", "c.request"),
    ("from framework import session", "set_signed"),
    ("from framework.auth import current_user", "user: User"),
    ("from framework.auth import check_password_hash", "auth.sign_up"),
    ("from hono import Hono", "from-hono.md"),
    ("from workers import DurableObject", "another Worker"),
    ("import js", "framework.fetching"),
    ("from framework.middleware.logger import logger", "from-hono.md"),
    ("from framework.streaming import streamSSE", "from-hono.md"),
    ("from framework import getConnInfo", "from-hono.md"),
    ("from framework import get_cookie", "from-hono.md"),
    ("from framework.middleware import etag; etag()", "docs/middleware.md"),
    ("from framework import HTTPException", "raise NotFound"),
    ("from framework.middleware.bearer_auth import bearer_auth", "bearer, basic"),
    ("from framework import jwt", "is a guard"),
    ("from framework import some", "a | b"),
    ("app.use(cors())", "cors([...]"),
    ("app.use(cors(origin='*', allowMethods=['GET']))", "cors([...]"),
    ("from framework.middleware.etag import etag; etag(retainedHeaders=[])", "docs/middleware.md"),
    ("from framework.credentials import bearer; bearer(token='secret')", "the name of a secret"),
    ("from framework.credentials import basic; basic('ada', 'secret')", "basic(verify)"),
    ("App(strict=False)", "redirect_slashes"),
    ("App(getPath=print)", "Router(host="),
    ("App[dict]()", "Bindings"),
    ("app.basePath('/api')", 'Router("/prefix")'),
    ("app.route('/book', Router())", 'Router("/prefix")'),
    ("@app.use()\nasync def layer(c, call_next): ...", "app.use(layer)"),
    ("@app.notFound\nasync def missing(c): ...", "@app.not_found"),
    ("@app.query('/')\nasync def show(): ...", "@app.on("),
    ("app.get('/', guard=public).post('/', guard=public)", "not chained"),
    ("app.get('/', guard=public)(lambda c: '').post('/')", "not chained"),
    ("app.request('/')", 'app.request("GET", "/path")'),
    ("@app.get(path='/')\nasync def show(): ...", "the path comes first"),
    ("from framework.fetching import fetch; fetch('https://a.example', json={})", "body="),
    ("from framework.testing import Client; Client(app).get('/', params={})", "in the path"),
    (
        "from framework.middleware.trusted_hosts import trusted_hosts; trusted_hosts(['a.example'])",
        "one by one",
    ),
    ("app.fire()", "kagari dev"),
]
"""What fails at import, and a part of what is said."""

ASKED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda c: c.request.args.get("page"), "Query[int]"),
    (lambda c: c.request.POST["title"], "Form[str]"),
    (lambda c: c.request.form["title"], "Form[str]"),
    (lambda c: c.request.form.get("title"), "Form[str]"),
    (lambda c: c.request.get_json(), "is a Struct"),
    (lambda c: c.request.json["title"], "is a Struct"),
    (lambda c: c.request.META["HTTP_ACCEPT"], "Header[str]"),
    (lambda c: c.request.headers["accept"], "Header[str]"),
    (lambda c: c.request.remote_addr, "c.request.address"),
    (lambda c: c.request.build_absolute_uri("/"), "origin"),
    (lambda c: c.request.user, "auth.user(c)"),
    (lambda c: c.request.session["cart"], "set_signed"),
    (lambda c: c.flash("Saved."), "set_signed"),
    (lambda c: c.json({}), "Response.json(value)"),
    (lambda _: Response.text("").set_cookie("a", "b"), "c.cookies.set"),  # type: ignore[attr-defined]  # what is tried
    (lambda _: Response.text("").status_code, "with_status"),  # type: ignore[attr-defined]  # what is tried
    (lambda c: c.log.info("made %s", 5), "fields by name"),
    (lambda c: c.log.exception("made"), "fields by name"),
    (lambda _: Response(b"", mimetype="text/css"), "Response.html"),  # type: ignore[call-arg]  # what is tried
    (lambda c: c.database().execute("SELECT 1"), "db.first"),
    (lambda c: c.database().all("SELECT 1"), "db.first"),
    (lambda c: c.req.query("q"), "Query[int]"),
    (lambda c: c.query("q"), "Query[int]"),
    (lambda c: c.params.id, "id: int"),
    (lambda c: c.request.query("q"), "Query[int]"),
    (lambda c: c.request.queries("q"), "Query[int]"),
    (lambda c: c.request.param("id"), "c.params"),
    (lambda c: c.request.header("accept"), "Header[str]"),
    (lambda c: c.request.valid("json"), "is a Struct"),
    (lambda c: c.request.parseBody(), "Form[File]"),
    (lambda c: c.request.raw, "c.request has"),
    (lambda c: c.request.cf, "c.request.country"),
    (lambda c: c.path, "c.request has"),
    (lambda c: c.notFound(), "raise an HTTPError"),
    (lambda c: c.header("x-day", "Monday"), "with_header"),
    (lambda c: c.status(201), "Response.json(value, 201)"),
    (lambda c: c.res.headers.set("x-day", "Monday"), "await call_next()"),
    (lambda c: c.var.user, "c.get(USER)"),
    (lambda c: [c.set("user", "ada"), c.refill(c.filled())], "c.get(USER)"),
    (lambda c: c.executionCtx.waitUntil(), "c.wait_until(work())"),
    (lambda c: c.env.DB, 'c.database("DB")'),
    (lambda c: c.env["DB"].prepare("SELECT 1"), "db.first"),
    (lambda c: c.database.first(int, "SELECT 1"), "db.first"),
    (lambda c: c.cookies.set_signed("a", "b", "k" * 32), "Signer([secret])"),
    (lambda _: Response(None, 204), "Response.empty(204)"),  # type: ignore[arg-type]  # what is tried
    (lambda _: Response.text({"a": 1}), "Response.json"),  # type: ignore[arg-type]  # what is tried
    (lambda c: c.setCookie("a", "b"), "c.cookies.set"),
    (lambda c: c.cookies["a"], "get(name)"),
    (lambda c: c.cookies.set("a", "b", httpOnly=True), "http_only"),
    (lambda _: Response("", {"status": 404}), "Response.json(value, 201)"),  # type: ignore[arg-type]  # what is tried
    (lambda _: Response.json("", 201, {"x-day": "Monday"}), "with_header"),  # type: ignore[call-arg]  # what is tried
    (lambda _: Response("").headers.set("x-day", "Monday"), "with_header"),  # type: ignore[attr-defined]  # what is tried
    (lambda _: Response("").headers["x-day"], "with_header"),  # type: ignore[call-overload]  # what is tried
    (lambda _: Response("").header("x-day", "Monday"), "with_header"),  # type: ignore[call-arg]  # what is tried
    (lambda _: HTTPError(401, message="Not you."), "HTTPError(403"),  # type: ignore[call-overload]  # what is tried
    (lambda _: HTTPError(401, "Not you.").message, "detail"),  # type: ignore[attr-defined]  # what is tried
    (lambda _: NotFound().getResponse(), "detail"),  # type: ignore[attr-defined]  # what is tried
    (lambda _: next(), "app.use(layer)"),  # type: ignore[call-overload]  # what is tried
]
"""What fails when a handler does it, and a part of what is said."""

LAYERED = [
    (
        "await call_next()",
        "a layer returns what await call_next() has returned, or another Response",
    ),
    ("return await call_next(c)", "call_next takes nothing: return await call_next()"),
]
"""What fails when a layer does it, and what is said."""


@pytest.mark.parametrize(("written", "advice"), WRITTEN)
def test_what_another_framework_has_is_told_what_to_write(
    written: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"advised_{WRITTEN.index((written, advice))}"
    (tmp_path / f"{name}.py").write_text(f"{TOP}app = App()\n{written}\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LoadError) as caught:
        load_app(f"{name}:app", tmp_path)

    message = str(caught.value)
    assert message.startswith(f"{name}.py:5: ")
    assert advice in message


@pytest.mark.parametrize("name", ["tags", "title", "auth", "allow_all"])
def test_nothing_is_said_of_what_a_function_of_the_app_is_called_with(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / f"own_{name}.py").write_text(f"def page(): ...\n\napp = page({name}=1)\n")

    with pytest.raises(LoadError) as caught:
        load_app(f"own_{name}:app", tmp_path)

    assert str(caught.value).endswith(f"unexpected keyword argument '{name}'")


@pytest.mark.parametrize("decorator", ["", "@guard\n"])
def test_a_guard_that_is_called_is_told_to_be_named(tmp_path: Path, decorator: str) -> None:
    source = (
        f"{TOP}from framework import guard\napp = App()\n{decorator}async def signed_in(c): ...\n"
    )
    source += "@app.get('/', guard=signed_in())\nasync def show(): ...\n"
    (tmp_path / "called_guard.py").write_text(source)

    with pytest.raises(LoadError, match=r"'c': a guard is named, not called: .*guard=guard\("):
        load_app("called_guard:app", tmp_path)


@pytest.fixture
def _loggers() -> Iterator[None]:
    """Puts back what `log_to_terminal` changes."""
    loggers = [logging.getLogger(name) for name in ("kagari", "uvicorn.error")]
    before = [logger.propagate for logger in loggers]
    yield
    for logger, propagate in zip(loggers, before, strict=True):
        logger.handlers, logger.propagate = [], propagate
        logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("number", range(len(ASKED)))
@pytest.mark.usefixtures("_loggers")
def test_what_a_handler_does_as_elsewhere_is_told_below_its_traceback(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_terminal()
    do, advice = ASKED[number]
    app = App()

    @app.get("/", guard=public)
    async def show(c: Context) -> str:
        do(c)
        return "shown"

    database = SQLiteDatabase()
    with serve(app, {"DB": database}) as url, pytest.raises(Refused) as refused:
        urlopen(url, timeout=10)
    refused.value.close()
    database.close()

    assert refused.value.code == 500
    assert advice in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("line", "advice"), LAYERED)
@pytest.mark.parametrize("is_inner", [False, True])
@pytest.mark.usefixtures("_loggers")
async def test_a_layer_as_of_hono_or_starlette_is_told_what_it_does(
    line: str, advice: str, is_inner: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log_to_terminal()
    name = f"layer_{line.count('return')}_{is_inner}"
    (tmp_path / f"{name}.py").write_text(
        f"{TOP}app = App()\nasync def layer(c, call_next):\n    {line}\n"
        f"router = Router()\n{'router' if is_inner else 'app'}.use(layer)\n"
        "@router.get('/', guard=public)\nasync def show(): ...\napp.mount(router)\n"
    )
    app = load_app(f"{name}:app", tmp_path)

    assert (await app.request("GET", "/")).status == 500

    assert advice in capsys.readouterr().err.splitlines()[-1]


class Silent(TypeError):
    """Has no text of its own."""

    def __str__(self) -> str:
        raise ValueError("it cannot say")


def _ask_another_request() -> None:
    UrllibRequest("https://example.com").form  # type: ignore[attr-defined]  # noqa: B018  what is tried


def _say_much() -> None:
    raise TypeError("'method' object " + ", in " * 500_000)


@pytest.mark.parametrize("line", ["import jwt", "from own_cookies import get_cookie, env"])
def test_nothing_is_said_of_other_packages_that_are_called_like_what_hono_has(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "jwt", None)  # as if it were not installed
    (tmp_path / "own_cookies.py").write_text("")
    (tmp_path / "own_app.py").write_text(f"{line}\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LoadError) as caught:
        load_app("own_app:app", tmp_path)

    assert caught.value.__cause__ is not None
    assert advise(caught.value.__cause__) == ""


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (_ask_another_request, "AttributeError: 'Request' object has no attribute 'form'"),
        (_say_much, "TypeError: 'method' object , in , in"),
    ],
)
@pytest.mark.usefixtures("_loggers")
async def test_nothing_is_added_where_nothing_is_known(
    capsys: pytest.CaptureFixture[str], do: Callable[[], None], said: str
) -> None:
    log_to_terminal()
    app = App()

    @app.get("/", guard=public)
    async def show() -> str:
        do()
        return "shown"

    await app.request("GET", "/")

    assert said in capsys.readouterr().err.splitlines()[-1]


def test_the_bindings_on_this_machine_are_told_of_as_any_others(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_text('[vars]\nGREETING = "Hello"\n')
    env: Any = make_environment(tmp_path, tmp_path / "dev.sqlite3")[0]

    with pytest.raises(AttributeError) as raised:
        env.GREETING  # noqa: B018  what is tried

    assert "or declare all as Bindings" in advise(raised.value)


def test_nothing_is_said_of_an_error_that_cannot_say_what_it_is() -> None:
    assert advise(Silent()) == ""


def test_each_piece_of_advice_is_asked_for(tmp_path: Path) -> None:
    said = {advice for _, advice in LAYERED}
    for number, (written, _) in enumerate(WRITTEN):
        (tmp_path / f"each_{number}.py").write_text(f"{TOP}app = App()\n{written}\n")
        with pytest.raises(LoadError) as caught:
            load_app(f"each_{number}:app", tmp_path)
        assert caught.value.__cause__ is not None
        said.add(advise(caught.value.__cause__))
    database = SQLiteDatabase()
    context = Context(Request.build("GET", "/"), {"DB": database})
    for do, _ in ASKED:
        with pytest.raises((AttributeError, TypeError)) as raised:
            do(context)
        said.add(advise(raised.value))
    database.close()

    assert said == set(ADVICE.values())


def test_the_build_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "framework.py").write_text("class App: ...\n")
    (tmp_path / "app.py").write_text(
        "from framework import App\n\napp = App()\napp.include_router(1)\n"
    )

    command = [sys.executable, import_check.__file__, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (
        done.stderr.splitlines()[-1] == 'write app.mount(router); its prefix is Router("/prefix")'
    )
