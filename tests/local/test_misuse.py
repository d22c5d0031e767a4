"""What fails or does nothing whenever it is reached is found, and nothing that may be meant is."""

import os
import sys
from pathlib import Path

import pytest

from framework import App, Context, Response, Router, fetching
from framework.local.advice import advise_of
from framework.local.environ_reads import find_environ_reads
from framework.local.misnamed import find_misnamed
from framework.local.misuse import find_misuse
from framework.local.program import modules
from framework.local.scope import scopes_of
from framework.local.shared_waits import find_shared_waits
from framework.local.unasked import find_unasked
from framework.local.unbound import find_unbound
from framework.local.unescaped import find_unescaped
from framework.local.unmounted import find_unmounted
from framework.local.unpurged import find_unpurged
from framework.local.writing_reads import find_writing_reads
from tests.local.correct_programs import (
    AUTH,
    BARE,
    BINDINGS,
    CORRECT,
    ERRORS,
    GUARD,
    HANDLER,
    LAYER,
    MISSING,
    PROVIDER,
    ROLE,
    WORK,
    WRAPPER,
)
from tests.local.imported_app import LINES, import_app
from tests.test_docs import DOCUMENTS, ROOT, as_module


def found(patch: pytest.MonkeyPatch, folder: Path, source: str) -> list[str]:
    app = import_app(patch, folder, source)
    shown = [*modules(folder)]
    return find_misuse(shown, scopes_of(shown, app, ["CACHE"]), app)


def missed(patch: pytest.MonkeyPatch, folder: Path, source: str, said: str) -> None:
    """Compare what is found in *source* with *said*, whose place is where ``HERE`` stands."""
    line = LINES + source[: source.index("HERE")].count("\n") + 1
    assert found(patch, folder, source.replace("HERE", "")) == [f"app.py:{line}: {said}"]


ASKED = "'article' is /articles/:slug/:page?, which asks for other parameters"
LINKS = (
    "NAME = 'gone'\nmore = {{}}\n"
    "@app.get('/articles/:slug/:page?', name='article')\nasync def show(slug, page=None): ...\n"
    "@app.get('/:id')\nasync def linked(c: Context, id):\n return {}"
)
UNRAISED = """
from framework import errors
from framework.errors import Forbidden as No

class Sold(No): ...

class Refusals:
    Closed = No

class Lazy:
    def __getattr__(self, name):
        raise RuntimeError("asked while nothing runs")

lazy = Lazy()

def closed(c, *, log=print, ConnectionError=print):
    if c.request.path != "/":
        {}
"""


@pytest.mark.parametrize(
    ("made", "name"),
    [
        *(("No('Not you.')", "No"), ("errors.Forbidden()", "errors.Forbidden")),
        *(("Sold()", "Sold"), ("ValueError('Not you.')", "ValueError"), ("No", "No")),
        *(("c.user or HERENo()", "No"), ("c.user and None or HERESold", "Sold")),
        ("c.user or c.path or HERENo()", "No"),
        ("with c.lock: HERENo()", "No"),
        ("try:\n            HERENo()\n        except KeyError: ...", "No"),
        *(("None if c.user else No()", "No"), ("No() if c.user is None else None", "No")),
        ("Refusals.Closed()", "Refusals.Closed"),
        ("async def later(): No()", "No"),
        ("class Guards:\n            async def closed(self, c): HERENo()", "No"),
    ],
)
def test_an_exception_that_nobody_raises_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: str, name: str
) -> None:
    source = UNRAISED.format(made if "HERE" in made else f"HERE{made}")

    missed(monkeypatch, tmp_path, source, f"{name}: raise it")


def test_an_exception_that_nobody_raises_in_a_package_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes/__init__.py").write_text("def closed(c):\n    ValueError()\n")

    assert found(monkeypatch, tmp_path, "import routes") == [
        "routes/__init__.py:2: ValueError: raise it"
    ]


@pytest.mark.parametrize(
    "done",
    [
        *("raise No", "raise No('Not you.') from None", "print(str(No()))", "lazy.thing()"),
        *("ConnectionError('a parameter')", "No = log; No('a name of its own')"),
        "for No in c.steps: No()",
        "from builtins import print as Sold; Sold()",
        """
        def later():
            Sold()
        def Sold(): ...
        return later
""",
        """
        try:
            return
        except ValueError as No:
            No()
""",
        "pass\nclass Known(Exception): ...\nKnown()",
    ],
)
def test_what_makes_no_exception_or_uses_it_may_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, done: str
) -> None:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes/later.py").write_text("def run():\n    ValueError()\n")  # never imported

    assert found(monkeypatch, tmp_path, UNRAISED.format(done)) == []


NO_LIST = "which are sent as a list of both: write Response.json(value, 201), or -> tuple if that is meant"
KINDS = ["str", "str | None", "list[str]"]
MOUNTED = (
    "outer = Router('/outer')\ninner = Router('/inner')\n"
    "async def each(c: Context, other):\n {}\ninner.{role}(each)\n"
    "@inner.get('/')\nasync def show(): ...\nouter.mount(inner)\napp.mount(outer)"
)
OF_ROUTERS = [("use", "layer"), ("on_error", "handler of errors")]
TWO_PROVIDERS = (
    "from typing import Annotated\nfrom framework import Depends\n"
    "async def find(c: Context):\n {}\n"
    "async def load(found: Annotated[str, Depends(find)]): ...\n"
)
INNER_PROVIDERS = [
    TWO_PROVIDERS + "@app.get('/')\nasync def show(loaded: Annotated[str, Depends(load)]): ...",
    TWO_PROVIDERS + "@guard\nasync def may(found: Annotated[str, Depends(find)]): ...\n"
    "@app.get('/', guard=may)\nasync def show(): ...",
]
RETURNED = [
    *((HANDLER, "handler", made) for made in ("NotFound()", "NotFound", "c or NotFound('No.')")),
    (HANDLER, "handler", "{} if c else NotFound()"),
    *((role, name, "NotFound()") for role, name in [(GUARD, "guard"), (LAYER, "layer")]),
    *((PROVIDER.replace("{}, Dep", f"{kind}, Dep"), "provider", "NotFound()") for kind in KINDS),
    *((ERRORS, "handler of errors", "NotFound()"), (MISSING, "not-found handler", "NotFound()")),
    *((MOUNTED.replace("{role}", role), name, "NotFound()") for role, name in OF_ROUTERS),
    *((source, "provider", "NotFound()") for source in INNER_PROVIDERS),
]


@pytest.mark.parametrize(("role", "name", "returned"), RETURNED)
def test_an_error_that_is_returned_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, role: str, name: str, returned: str
) -> None:
    source = role.format(f"return HERE{returned}")

    missed(monkeypatch, tmp_path, source, f"this {name} returns NotFound: raise it")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            GUARD.format("return HEREc.request.path == '/' and False"),
            "this guard returns False: return nothing to let pass, and raise Forbidden to refuse",
        ),
        (
            GUARD.format("return HEREResponse.redirect('/sign-in')"),
            "this guard returns a Response: raise Forbidden or another HTTPError to refuse",
        ),
        (LAYER.format("return HERE'no'"), "this layer returns 'no': return a Response"),
        (LAYER.format("return HEREf'{c}'"), "this layer returns f'{c}': return a Response"),
        (LAYER.format("return HERE[1]"), "this layer returns [1]: return a Response"),
        *(
            (
                source.format("return HERE'no', 401"),
                f"this {role} returns ('no', 401): return a Response",
            )
            for source, role in ((LAYER, "layer"), (MISSING, "not-found handler"))
        ),
        (
            HANDLER.format("return HERE'Not found', 404"),
            f"this handler returns a value and a status, {NO_LIST.replace('201', '404')}",
        ),
        (MISSING.format("return HERE{}"), "this not-found handler returns {}: return a Response"),
        (
            HANDLER.format("return HERE{'a': 1}, 201"),
            f"this handler returns a value and a status, {NO_LIST}",
        ),
        (
            HANDLER.format("return HERENone, 201"),
            f"this handler returns a value and a status, {NO_LIST}",
        ),
        (
            HANDLER.format("return HEREc.request.path, 201, {'x': 'y'}"),
            f"this handler returns a value and a status, {NO_LIST}",
        ),
        *(
            (
                "from msgspec import Struct\n"
                + HANDLER.replace("):", f") -> {kind}:").format("return HEREc.request.path, 201"),
                f"this handler returns a value and a status, {NO_LIST}",
            )
            for kind in ("dict", "str", "Response", "Struct")
        ),
        (
            HANDLER.format("return HEREc.request.path, 200"),
            f"this handler returns a value and a status, {NO_LIST.replace('201', '200')}",
        ),
        (
            "import json\n" + HANDLER.format("return HEREjson.dumps({})"),
            "this handler returns json.dumps(...), which is text/plain:"
            " return the value itself, or -> str if that is meant",
        ),
        (
            LAYER.format("return HEREcall_next()"),
            "this layer returns call_next(...), which is not awaited: write return await call_next(...)",
        ),
        (
            WORK + HANDLER.format("return HEREwork()"),
            "this handler returns work(...), which is not awaited: write return await work(...)",
        ),
    ],
)
def test_what_a_function_must_not_return_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    missed(monkeypatch, tmp_path, source, said)


FIRST = "HEREc.database().first(int, 'SELECT 1')"
CALLED = "c.database().first"


@pytest.mark.parametrize(
    ("source", "called"),
    [
        (LAYER.format("HEREcall_next()\n return Response()"), "call_next"),
        (LAYER.format("a = HEREcall_next()\n return a.with_header('a', 'b')"), "call_next"),
        (LAYER.replace(": Next", "").format("HEREcall_next()\n return Response()"), "call_next"),
        (WORK + HANDLER.format("HEREwork()"), "work"),
        (WORK + HANDLER.format("HEREmill.grind()"), "mill.grind"),
        (WORK + HANDLER.format("HEREMill.stop()"), "Mill.stop"),
        (WORK + "def start():\n HEREwork()", "work"),
        (WORK + "def start():\n def later():\n  HEREwork()\n return later", "work"),
        (WORK + "class A:\n def start(self):\n  HEREwork()", "work"),
        *(
            (WORK + f"def start({taken}):\n HEREmill.grind()", "mill.grind")
            for taken in ("mill: Mill", "mill: Mill, /", "*, mill: Mill")
        ),
        (
            "class Mill:\n @classmethod\n async def start(cls): ...\n"
            + HANDLER.format("HEREMill.start()"),
            "Mill.start",
        ),
        # what only inner scopes have by the name
        (WORK + "key = lambda work: work\n" + HANDLER.format("HEREwork()"), "work"),
        (WORK + "class Other:\n work = None\n" + HANDLER.format("HEREwork()"), "work"),
        # names that stand for each other, or for themselves
        ("def start():\n x = y\n y = x\n x.run()\n HEREasyncio.sleep(1)", "asyncio.sleep"),
        ("def start():\n x = x\n x.run()\n HEREasyncio.sleep(1)", "asyncio.sleep"),
        (
            "from framework.context import Job\n@app.cron('* * * * *')\n"
            "async def tidy(job: Job):\n HEREjob.database().run('DELETE FROM log')",
            "job.database().run",
        ),
        (
            "from framework.queues import Batch\n"
            "async def take(batch: Batch):\n HEREbatch.database().run('DELETE FROM log')",
            "batch.database().run",
        ),
        ("def start():\n HEREasyncio.sleep(1)", "asyncio.sleep"),
        *(
            (HANDLER.format(text), "c.database().first")
            for text in (
                FIRST,
                f"if {FIRST}: ...",
                f"if not {FIRST}: ...",
                f"if {FIRST} is None: ...",
                f"if c.request.path == '/' and {FIRST}: ...",
                f"if {FIRST} and c.request.path == '/': ...",
                f"if {FIRST} or c.request.path == '/': ...",
                f"c.request.path and {FIRST}",
                f"while {FIRST}: ...",
                f"assert {FIRST}",
                f"return 1 if {FIRST} else 2",
                f"return {FIRST}['a']",
                f"return {FIRST}.a",
                f"return [each for each in {FIRST}]",
                f"return [each for each in 'ab' if {FIRST}]",
                f"match c.request.path:\n  case a if {FIRST}: ...",
                f'return f"{{{FIRST}}}"',
                *(
                    f"return {name}({FIRST})"
                    for name in (
                        *("bool", "dict", "enumerate", "float", "int", "len", "list"),
                        *("max", "min", "set", "sorted", "sum", "tuple"),
                    )
                ),
                f"return {FIRST}()",
                f"return c and {FIRST} and c.request",
                f"for row in {FIRST}: ...",
                f"[one, two] = {FIRST}",
                f"return [*{FIRST}]",
                f"one, two = {FIRST}",
                f"rows = {FIRST}\n return sorted(rows)",
                f"return {{'a': {FIRST}}}",
                f"return 1, {FIRST}",
                f"return [{{'a': [1, {FIRST}]}}]",
                f"return Response.json({{'a': {FIRST}}})",
                f"return Response.json({FIRST})",
                f"return Response.text({FIRST})",
                f"answer = Response.json({FIRST})\n return answer",
                f"return Response({FIRST})",
                f"page = {FIRST}\n return Response.html(page)",
                f"return 1 if c.request.path else [{FIRST}]",
                f"found = {FIRST}",
                f"found: int = {FIRST}",
                f"found = {FIRST}\n if found: ...",
                f"found = {FIRST}\n if found is None: raise NotFound()\n return found['a']",
                f"if found := {FIRST}:\n  return found.a",
            )
        ),
        (BARE.format(FIRST), "c.database().first"),
        (WORK + HANDLER.format("await c.database().run('', HEREwork())"), "work"),
        (HANDLER.format("rows = c.database('LOGS')\n HERErows.run('DELETE FROM log')"), "rows.run"),
        (HANDLER.format("HEREc.database('LOGS').batch([])"), "c.database('LOGS').batch"),
        (HANDLER.format("db = c.database(); HEREdb.run('DELETE FROM log')"), "db.run"),
        (
            HANDLER.format(
                "def later():\n  db = c.database()\n  HEREdb.run('DELETE FROM log')\n later()"
            ),
            "db.run",
        ),
        ("async def clean(db: Database):\n HEREdb.run('DELETE FROM log')", "db.run"),
        (
            BINDINGS + HANDLER.format("HEREc.bindings(Env).logs.all(int, '')"),
            "c.bindings(Env).logs.all",
        ),
        (
            BINDINGS + "async def clean(env: Env):\n HEREenv.logs.run('DELETE FROM log')",
            "env.logs.run",
        ),
        (HANDLER.format("HEREc.env['MAILS'].send({'to': 'ada'})"), "c.env['MAILS'].send"),
        (HANDLER.format("return {'found': HEREc.env['FILES'].head('a')}"), "c.env['FILES'].head"),
        (
            "from framework import Job\nasync def tidy(job: Job):\n HEREjob.env['FILES'].delete('a')",
            "job.env['FILES'].delete",
        ),
        (GUARD.format("if HEREc.env['CACHE'].get('banned'): raise"), "c.env['CACHE'].get"),
        (
            "NAME = 'CACHE'\n" + GUARD.format("if not HEREc.env[NAME].get('on'): raise"),
            "c.env[NAME].get",
        ),
        (AUTH + HANDLER.format("HEREauth.sign_out(c)"), "auth.sign_out"),
        (
            AUTH + HANDLER.format("HEREauth.users.update(c.database(), '', a=1)"),
            "auth.users.update",
        ),
        (
            AUTH + HANDLER.format("if not HEREauth.sessions.validate(c.database(), ''): ..."),
            "auth.sessions.validate",
        ),
        (AUTH + HANDLER.format("if HEREverify_password('a', 'b'): ..."), "verify_password"),
        (HANDLER.format("HEREc.request.bytes()"), "c.request.bytes"),
        (GUARD.format("...") + "\nasync def page(c: Context):\n HEREmay(c)", "may"),
        # asked for, and returned as if it had come
        *(
            (role.format(f"found = {FIRST}\n if found is None: raise NotFound\n {text}"), CALLED)
            for role in (HANDLER, GUARD)
            for text in ("return found", "return found if c else None")
        ),
        (GUARD.format(f"if (a := {FIRST}) is None: raise NotFound\n return a"), CALLED),
        *(
            (HANDLER.format(f"found = {FIRST}\n return {text}"), CALLED)
            for text in ("{'found': found}", "[found]", "Response.json(found)")
        ),
        (AUTH + "member = auth.guard()\n" + HANDLER.format("if not HEREmember(c): ..."), "member"),
    ],
)
def test_a_coroutine_that_nobody_awaits_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, called: str
) -> None:
    said = f"{called}(...) is not awaited: write await {called}(...)"

    missed(monkeypatch, tmp_path, source, said)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            LAYER.format(
                "answer = await call_next()\n HEREanswer.with_header('a', 'b')\n return answer"
            ),
            "answer.with_header(...) makes a Response that is not used: return it",
        ),
        (
            HANDLER.format("HEREResponse('a')"),
            "Response(...) makes a Response that is not used: return it",
        ),
        *(
            (
                HANDLER.format(f"HEREResponse.{made}('a')"),
                f"Response.{made}(...) makes a Response that is not used: return it",
            )
            for made in ("bytes", "empty", "html", "json", "redirect", "text")
        ),
        *(
            (
                HANDLER.format(f"answer = Response()\n HEREanswer.{made}('a')\n return answer"),
                f"answer.{made}(...) makes a Response that is not used: return it",
            )
            for made in ("with_added_header", "with_cookie", "with_status")
        ),
        (
            WORK + HANDLER.format("HEREasyncio.create_task(work())"),
            "asyncio.create_task(...) may be cut off by the answer: write c.wait_until(...)",
        ),
        *(
            (
                WORK + HANDLER.format(f"HEREasyncio.{name}(work())"),
                f"asyncio.{name}(...) may be cut off by the answer: write c.wait_until(...)",
            )
            for name in ("ensure_future", "gather", "shield")
        ),
        *(
            (
                f"from framework.database import {name}\n"
                + HANDLER.format(f"HERE{name}('DELETE FROM note')"),
                f"{name}(...) is never run: put it into a batch, or await run(...)",
            )
            for name in ("statement", "Statement")
        ),
        *(
            (
                before + HANDLER.format(f"{within}if HEREawait c.database().run({sql}, 1): ..."),
                "c.database().run(...) gives 0 for a SELECT: write first(...) or all(...)",
            )
            for before, within, sql in [
                ("", "", "'SELECT ? FROM banned'"),
                ("", "sql = ' select ?'\n ", "sql"),
                ("SQL = 'SELECT ?'\n", "", "SQL"),
            ]
        ),
    ],
)
def test_what_is_made_and_not_used_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    missed(monkeypatch, tmp_path, source, said)


@pytest.mark.parametrize(
    "above",
    [
        *(ROLE + "HERE@role\n", ROLE + "HERE@guard(check)\n@lru_cache\n", WRAPPER + "HERE@asked\n"),
        # a name of the wrapper that has no value, and one that is held by a list
        WRAPPER.replace("await function", "unset or await function") + " unset = 1\nHERE@asked\n",
        "from functools import wraps\n"
        + WRAPPER.replace(" async", " held = [function]\n @wraps(function)\n async").replace(
            "await function", "await held[0]"
        )
        + "HERE@asked\n",
    ],
)
def test_what_stands_above_a_route_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, above: str
) -> None:
    said = (
        "show: what stands above a route does not guard it, since the route has the function below:"
        " name a guard in it, as guard=..."
    )

    missed(monkeypatch, tmp_path, above + HANDLER.format("..."), said)

    getattr(sys.modules["app"].show, "close", lambda: None)()  # a guard was called


JSON = "c.json: a Context has no json: " + advise_of("'Context' object has no attribute 'json'")
TAKES = advise_of("'Context' object has no attribute 'req'")
QUERY = advise_of("'dict' object is not callable, in request.query(")
BINDING = advise_of("'dict' object has no attribute 'DB', in c.env.DB")
USER = advise_of("'Context' object has no attribute 'user'")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        *(
            (source.format("return HEREc.json({'a': 1})"), JSON)
            for source in (HANDLER, BARE, LAYER, MISSING, ERRORS)
        ),
        ("def start(c: Context):\n return HEREc.json({})", JSON),
        (ERRORS.format("if isinstance(error, NotFound): ...\n return HEREc.json({})"), JSON),
        (HANDLER.format("return HEREc.req.query('a')"), f"c.req: a Context has no req: {TAKES}"),
        (
            HANDLER.format("return HEREc.request.param('a')"),
            f"c.request.param: a Request has no param: {TAKES}",
        ),
        (
            HANDLER.format("asked = c.request\n return HEREasked.nothing"),
            "asked.nothing: a Request has no nothing",
        ),
        (
            HANDLER.format("is_a = isinstance\n isinstance()\n c.request\n return HEREc.json({})"),
            JSON,
        ),
        (
            LAYER.format("c.request = 1\n return await call_next()")
            + "\n"
            + HANDLER.format("return HEREc.json({})"),
            JSON,
        ),
        (
            HANDLER.format("return HEREc.request.query('a')"),
            f"c.request.query is a dict: {QUERY}",
        ),
        (HANDLER.format("return await HEREc.env.CACHE.get('a')"), f"c.env.CACHE: {BINDING}"),
        (HANDLER.format("HEREc.user = 1"), f"c.user: a Context has no user: {USER}"),
        (
            LAYER.format("c.request\n HEREawait call_next()"),
            "this layer returns nothing after await call_next(): write return await call_next()",
        ),
        (
            LAYER.replace("call_next", "next").format("HEREawait next()"),
            "this layer returns nothing after await next(): write return await next()",
        ),
        *(
            (
                LAYER.format(text),
                "this layer returns nothing: write response = await call_next(), and return response"
                " in the end",
            )
            for text in (
                "HEREawait call_next()\n print(c.request.path)",
                "if c.request.path == '/':\n  HEREawait call_next()\n return",
            )
        ),
        *(
            (
                f"HEREasync def told({taken}):\n ...\napp.on_error(told)",
                "the context comes first: write told(c, error)",
            )
            for taken in ("error, c", "error, c: Context", "error, c, /", "error, c, more=None")
        ),
        *(
            (
                "from framework import HTTPError\n"
                + HANDLER.format(f"raise HERE{made}{{'message': 'Not you.'}})"),
                f"{made.partition('(')[0]}(...) takes a sentence, and code=... beside it",
            )
            for made in ("HTTPError(401, ", "Forbidden(")
        ),
    ],
)
def test_what_is_written_as_elsewhere_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    missed(monkeypatch, tmp_path, source, said)


PROVIDES = (
    "from typing import Annotated, NewType\nfrom msgspec import Struct\nfrom framework import Depends\n"
    "class Page(Struct): ...\nclass Other(Struct): ...\n"
    "async def find() -> {}: ...\n"
    "@app.get('/')\nHEREasync def show(found: Annotated[{}, Depends(find)]): ..."
)
CONSTRAINED = (
    "from typing import Annotated\nfrom msgspec import Struct\nfrom framework import Form\n"
    "class Ge:\n def __init__(self, ge): self.ge = ge\n"
    " def __repr__(self): return f'Ge({{self.ge}})'\n"
    "Ge.__module__ = 'annotated_types'\n"
    "class Sized(Struct):\n size: Annotated[int, Ge(1)]\n"
    "class Bigger(Struct):\n within: 'list[Sized]'\n more: 'Bigger | None' = None\n"
    "@app.post('/')\nHEREasync def show(size: {}): ..."
)
FINDER = "class Person: ...\nasync def find(c: Context) -> Person | None: ...\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        *(
            (
                source.replace("c: Context", "user").replace("{}", asked, 1).format("object"),
                "'user' is the context, which is always there: annotate it",
            )
            for source in (GUARD, HANDLER, PROVIDER)
            for asked in (
                "HEREif not user: raise Forbidden",
                "if c:\n  pass\n HEREelif user and user.request: raise Forbidden",
                "HEREif user is None: raise Forbidden",
                "HEREreturn 1 if user else 2",
                "HEREassert user",
                "HEREwhile user: pass",
            )
        ),
        (
            "from typing import Annotated\nfrom framework import Depends\n"
            + FINDER
            + "@app.get('/')\nHEREasync def show(user: Annotated[Person, Depends(find)]): ...",
            "'user' may be None, as find returns it: say so, or raise there",
        ),
        *(
            (
                PROVIDES.format(returned, asked),
                f"'found' is what find returns, and that is a {kind}: ask for it as such",
            )
            for returned, asked, kind in (
                ("str", "int", "str"),
                ("int", "str | None", "int"),
                ("dict[str, int]", "Page", "dict"),
                ("Page", "Other", "Page"),
                ("Page", "NewType('OtherPage', Other)", "Page"),
                ("list[Page]", "Page", "list"),
                ("float", "int", "float"),
            )
        ),
        *(
            (
                CONSTRAINED.format(annotation),
                "'size': Ge(1) is not looked at: write msgspec.Meta(...)",
            )
            for annotation in (
                "Query[Annotated[int, Ge(1)]]",
                "Annotated[Query[int], Ge(1)]",
                "Query[list[Annotated[int, Ge(1)]]]",
                "Query[Annotated[int, Ge(1)] | None]",
                "Sized",
                "list[Bigger]",
                "Form[Sized]",
            )
        ),
    ],
)
def test_a_parameter_that_gets_something_else_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, said: str
) -> None:
    missed(monkeypatch, tmp_path, source, said)


SLOTTED = (
    "from typing import Annotated\nfrom framework import Alias, Depends, Header\n"
    "TENANT = Slot('tenant', int)\n"
    "@guard(provides=TENANT)\nasync def member(x_tenant: Header[int]) -> int: return x_tenant\n"
    "@guard\nasync def owner(id: int) -> None: ...\n"
    "def found(id: int) -> str: return str(id)\n"
)


@pytest.mark.parametrize(
    "taken", ["note_id: int", "note_id: int, page: Query[int] = 1", "c: Context, *, note_id: int"]
)
def test_a_parameter_that_a_slot_fills_in_the_place_of_the_path_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, taken: str
) -> None:
    source = f"{SLOTTED}@app.get('/notes/:id', guard=member)\nasync def show({taken}): ...\n"

    (said,) = find_misnamed(import_app(monkeypatch, tmp_path, source))

    assert said.startswith(
        f"{tmp_path / 'app.py'}:{LINES + source.count(chr(10)) - 1}: 'note_id' is"
    )
    assert "nothing takes the path's :id" in said


@pytest.mark.parametrize(
    ("path", "guard", "taken"),
    [
        ("/notes/:id", "member", "id: int, team: int"),
        ("/notes/:id", "member", "id, team: int"),
        ("/notes/:id", "member", "note: Annotated[int, Alias('id')], team: int"),
        ("/notes/:id", "member & owner", "team: int"),
        ("/notes/:id", "member", "team: int, note: Annotated[str, Depends(found)]"),
        ("/notes/:id", "member", "tenant: int"),
        ("/notes/:id", "member", "team: Annotated[int, TENANT]"),
        ("/notes", "member", "team: int"),
        ("/:id{(?:a|b:c)+}", "member & owner", "team: int"),
        ("/notes/:id", "member", "page: Query[int]"),
        ("/notes/:id", "member", ""),
    ],
)
def test_one_that_a_slot_may_fill_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str, guard: str, taken: str
) -> None:
    source = f"{SLOTTED}@app.get('{path}', guard={guard})\nasync def show({taken}): ..."

    assert find_misnamed(import_app(monkeypatch, tmp_path, source)) == []


@pytest.mark.parametrize(
    ("before", "read"),
    [
        ("", "c.params['id']"),
        ("def which(c):\n return c.params['id']\n", "which(c)"),
        (
            "async def layer(c: Context, call_next: Next):\n c.params.get('id')\n"
            " return await call_next()\napp.use(layer)\n",
            "None",
        ),
    ],
)
def test_one_is_not_where_something_reads_the_path_itself(
    before: str, read: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    handler = f"async def show(c: Context, team: int): return {read}"
    source = f"{SLOTTED}{before}@app.get('/notes/:id', guard=member)\n{handler}"

    assert find_misnamed(import_app(monkeypatch, tmp_path, source)) == []


async def nowhere(_c: Context) -> Response:
    return Response.text("nowhere")


async def not_there(_c: Context) -> Response:
    return Response.text("not there")


def test_of_two_functions_for_the_same_missing_pages_the_second_is_named() -> None:
    app, notes, more = App("/api"), Router("/notes"), Router("/notes")
    notes.not_found(nowhere)
    more.not_found(not_there)
    app.mount(notes)
    app.mount(more)

    (said,) = find_unasked(app)

    assert "this not_found is never asked" in said
    assert said.endswith("is, for all paths below /api/notes")
    assert said.startswith(f"{__file__}:{not_there.__code__.co_firstlineno}: ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Router("/notes"), Router("/tags")),
        (Router(host="a.example"), Router(host="b.example")),
        (Router(), Router("/notes")),
    ],
)
def test_those_of_other_pages_are_each_asked(one: Router, other: Router) -> None:
    app = App()
    app.not_found(nowhere)
    for router, handler in ((one, nowhere), (other, not_there)):
        router.not_found(handler)
        app.mount(router)

    assert find_unasked(app) == []


def test_mistakes_are_told_from_top_to_bottom(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = found(monkeypatch, tmp_path, HANDLER.format("\n ".join(["NotFound()"] * 12)))

    lines = [int(place.split(":")[1]) for place in places]
    assert len(lines) == 12
    assert lines == sorted(lines)


def test_what_is_no_app_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import_app(monkeypatch, tmp_path, HANDLER.format("return NotFound()"))
    shown = [*modules(tmp_path)]

    assert find_misuse(shown, scopes_of(shown, object()), object()) == []


@pytest.mark.parametrize(
    ("linked", "said"),
    [
        ("c.url_for('artcle', slug='a')", "no route is called 'artcle', but 'article' is one"),
        ("c.url_for('home')", "no route is called 'home'"),
        ("c.url_for(NAME, slug='a')", "no route is called 'gone'"),
        ("c.url_for('home') if id else NAME", "no route is called 'home'"),
        (
            "app.url_for('article')",
            "'article' is /articles/:slug/:page?, which asks for other parameters",
        ),
        (
            "c.url_for('article', id=3)",
            "'article' is /articles/:slug/:page?, which asks for other parameters",
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, linked: str, said: str
) -> None:
    missed(monkeypatch, tmp_path, LINKS.format(f"HERE{linked}"), said)


@pytest.mark.parametrize("source", CORRECT)
def test_a_correct_program_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    app = import_app(monkeypatch, tmp_path, source)
    shown = [*modules(tmp_path)]

    scopes = scopes_of(shown, app)
    assert find_misuse(shown, scopes, app) == []
    assert find_unbound(shown, scopes, app, {"d1_databases": [{"binding": "DB"}]}) == ([], [])


@pytest.mark.parametrize("content", ["x = (", "x = '\0'", None])
def test_what_was_changed_since_it_was_imported_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    app = import_app(monkeypatch, tmp_path, HANDLER.format("return NotFound()"))
    (tmp_path / "app.py").unlink()
    if content is not None:
        (tmp_path / "app.py").write_text(content)

    shown = [*modules(tmp_path)]
    assert find_misuse(shown, scopes_of(shown, app), app) == []


def test_a_module_of_many_branches_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    branches = "".join(f"elif LINES == {line}: ...\n" for line in range(1500))

    assert found(monkeypatch, tmp_path, f"LINES = 0\nif LINES: ...\n{branches}") == []


ROUTER = "notes = Router('/notes')\n@notes.get('/')\nasync def show(): ...\n"


@pytest.mark.parametrize(
    ("source", "line", "name"),
    [(ROUTER, 1, "notes"), (ROUTER + "outer = Router('/a')\nouter.mount(notes)", 4, "outer")],
)
def test_a_router_that_nothing_mounts_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, line: int, name: str
) -> None:
    import_app(monkeypatch, tmp_path, source)

    said = f"{name} is mounted nowhere, so its routes are 404: app.mount({name})"
    assert find_unmounted([*modules(tmp_path)]) == [f"app.py:{LINES + line}: {said}"]


@pytest.mark.parametrize(
    ("imported", "is_said"),
    [
        ("", True),
        ("from routes import board", True),
        ("from routes.board import cards", False),
        ("from routes.board import *", False),
    ],
)
def test_a_local_variable_of_another_module_is_no_router(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, imported: str, is_said: bool
) -> None:
    (tmp_path / "routes").mkdir()
    (tmp_path / "routes" / "__init__.py").touch()
    source = f"from framework import Router, public\n{ROUTER.replace('notes', 'cards')}"
    (tmp_path / "routes" / "board.py").write_text(
        source.replace(".get('/')", ".get('/', guard=public)")
    )
    (tmp_path / "routes" / "pages.py").write_text(
        f"{imported}\nasync def page(c):\n cards = await c.database().all(dict, '')\n return cards\n"
    )
    import_app(monkeypatch, tmp_path, "import routes.board, routes.pages")

    found = find_unmounted([*modules(tmp_path)])
    assert (
        found
        == ["routes/board.py:2: cards is mounted nowhere, so its routes are 404: app.mount(cards)"][
            : int(is_said)
        ]
    )


@pytest.mark.parametrize(
    "source",
    [
        ROUTER + "app.mount(notes)",
        ROUTER + "def later():\n from app import notes\n app.mount(notes)",
        ROUTER + "outer = Router('/a')\nouter.mount(notes)\napp.mount(outer)",
        ROUTER + "LATER = [notes]",
        ROUTER + "if app is None:\n app.mount(notes)",
        ROUTER + "LATER = 'notes'",
        ROUTER + "def later(module):\n app.mount(module.notes)",
        ROUTER + "for each in [*vars().values()]:\n if type(each) is Router: app.mount(each)",
        "notes = Router('/notes')",
        "def make():\n notes = Router('/notes')\n notes.get('/')(print)",
    ],
)
def test_a_router_that_something_may_mount_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    import_app(monkeypatch, tmp_path, source)

    assert find_unmounted([*modules(tmp_path)]) == []


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nwaited = asyncio.Lock()",
        "import asyncio\nwaited: asyncio.Event = asyncio.Event()",
        "from asyncio import BoundedSemaphore\nwaited = BoundedSemaphore(5)",
        "import asyncio\nwaited = asyncio.Condition()",
        "import asyncio\nwaited = asyncio.Barrier(2)",
        "import asyncio\nwaited = asyncio.Future(loop=(loop := asyncio.new_event_loop())); loop.close()",
        "from asyncio import PriorityQueue\nwaited = PriorityQueue()",
        "import asyncio, collections\nwaited = collections.defaultdict(asyncio.Lock)",
        "class Kept:\n def __init__(self): self.lock = __import__('asyncio').Lock()\nwaited = Kept()",
    ],
)
def test_what_one_request_would_wait_for_another_by_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    import_app(monkeypatch, tmp_path, source)

    [said] = find_shared_waits([*modules(tmp_path)])
    line = LINES + len(source.splitlines())
    assert said.startswith(f"app.py:{line}: waited is shared by requests")


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio\nasync def handler():\n lock = asyncio.Lock()\n async with lock: ...",
        "from asyncio import Lock",
        "import collections\nkept = collections.defaultdict(list)",
        "import threading\nlock = threading.Lock()",
        "class Slotted:\n __slots__ = ('a',)\nkept = Slotted()",
    ],
)
def test_what_only_one_request_waits_by_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    import_app(monkeypatch, tmp_path, source)

    assert find_shared_waits([*modules(tmp_path)]) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os\nSECRET = os.environ['SECRET']",
        "import os\nSECRET = os.environ.get('SECRET') or 'default'",
        "from os import environ\nSECRET = environ.get('SECRET', 'default')",
        "import os as system\nSECRET = system.getenv('SECRET')",
        "import os\n" + HANDLER.format("return os.environ['SECRET']"),
    ],
)
def test_a_variable_that_the_worker_has_elsewhere_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    monkeypatch.setenv("SECRET", "of this machine")
    import_app(monkeypatch, tmp_path, source)

    said = "the Worker puts no variables into os.environ: declare SECRET in a subclass of Bindings"
    assert find_environ_reads([*modules(tmp_path)]) == [
        f"app.py:{LINES + len(source.splitlines())}: {said} (docs/routing.md, Bindings)"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import os\nif os.environ.get('LOCAL'):\n SECRET = os.environ['LOCAL']",
        "import os\ntry:\n SECRET = os.environ['SECRET']\nexcept KeyError:\n SECRET = ''",
        "import os\nSECRET = 'a' if os.getenv('LOCAL') else 'b'",
        "import os\nos.environ['SECRET'] = 'a'\nSECRET = os.environ['SECRET']",
        "import os\nos.environ.update(SECRET='a')\nSECRET = os.environ['SECRET']",
        "import os\nos.environ.setdefault('SECRET', 'a')\nSECRET = os.environ['SECRET']",
        "import os\nALL = dict(os.environ)",
        "import os\nNAME = 'SECRET'\nSECRET = os.environ.get(NAME)",
        "environ = {'SECRET': 'a'}\nSECRET = environ['SECRET']",
        "class os:\n getenv = str\nSECRET = os.getenv('SECRET')",
    ],
)
def test_what_may_be_read_of_this_machine_alone_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    monkeypatch.delenv("LOCAL", raising=False)
    monkeypatch.setattr("os.environ", os.environ.copy())
    import_app(monkeypatch, tmp_path, source)

    assert find_environ_reads([*modules(tmp_path)]) == []


COUNTED = """
from framework.auth import Auth
from framework.database import Result, statement
COUNT = "UPDATE quota SET n = n + 1 WHERE id = 1 RETURNING n"
def count(c: Context):
    {does}
@guard(reads=count)
async def counted(found: Result) -> None: ...
@app.get("/counted", guard={guards})
async def show() -> str:
    return ""
"""


@pytest.mark.parametrize(
    "does",
    [
        "return statement(COUNT)",
        "return statement('INSERT INTO used (at) VALUES (1)')",
        "return (lambda: statement('DELETE FROM quota'))()",
    ],
)
def test_what_a_guard_writes_before_others_are_asked_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str
) -> None:
    source = COUNTED.format(does=does, guards="Auth().guard() & counted")
    app = import_app(monkeypatch, tmp_path, source)

    [said] = find_writing_reads([*modules(tmp_path)], app)
    assert said.startswith(f"app.py:{LINES + 5}: the guard counted writes in reads=")


@pytest.mark.parametrize(
    ("does", "guards"),
    [
        ("return statement(COUNT)", "counted"),
        ("return statement(COUNT)", "public & counted"),
        ("return statement(COUNT)", "counted & Auth().guard()"),
        ("return statement(COUNT)", "Auth().guard() | counted"),
        ('"""Update nothing."""; return statement("SELECT 1")', "Auth().guard() & counted"),
    ],
)
def test_what_a_guard_writes_first_or_only_reads_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, does: str, guards: str
) -> None:
    app = import_app(monkeypatch, tmp_path, COUNTED.format(does=does, guards=guards))

    assert find_writing_reads([*modules(tmp_path)], app) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_nothing_is_said_of_what_the_docs_show(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, document: Path
) -> None:
    if document.name == "reference.md":  # which only shows what it has
        return
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(fetching, "_provided", None)
    app = import_app(monkeypatch, tmp_path, as_module(document))

    shown = [*modules(tmp_path)]
    scopes = scopes_of(shown, app)
    said = [
        *find_misuse(shown, scopes, app),
        *find_unescaped(scopes, app),
        *find_unmounted(shown),
        *find_shared_waits(shown),
    ]
    assert [*said, *find_environ_reads(shown), *find_writing_reads(shown, app)] == []


@pytest.mark.parametrize(
    ("source", "is_said"),
    [
        ("LATER = 1", True),
        ("staff = Auth('STAFF')", True),
        ("@app.cron('1 * * * *')\nasync def old(job):\n await auth.purge(job.database())", False),
        ("async def old(each, db):\n await each.sessions.purge(db)", False),
        ("async def old(db):\n await getattr(auth, 'purge')(db)", False),
        ("async def purge(db):\n await db.run('DELETE FROM user_session')", False),
    ],
)
def test_an_auth_that_nothing_purges_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, is_said: bool
) -> None:
    import_app(monkeypatch, tmp_path, AUTH + source)

    said = find_unpurged([*modules(tmp_path)])
    place = f"app.py:{LINES + 2}: nothing calls auth.purge, so sessions, addresses and counts"
    assert [each.startswith(place) for each in said] == [True] * is_said


def test_an_app_without_accounts_has_nothing_to_purge(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import_app(monkeypatch, tmp_path, HANDLER.format("return 1"))

    assert find_unpurged([*modules(tmp_path)]) == []
