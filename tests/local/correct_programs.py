"""Correct programs, many of them unusual, that no check may refuse; and what tests put others together of."""

PROVIDER = (
    "from typing import Annotated, Any\nfrom framework import Depends\n"
    "async def find(c: Context):\n {}\n"
    "@app.get('/')\nasync def show(found: Annotated[{}, Depends(find)]): ..."
)
HANDLER = "@app.get('/')\nasync def show(c: Context):\n {}"
GUARD = "@guard\nasync def may(c: Context):\n {}\n@app.get('/', guard=may)\nasync def show(): ..."
SLOT_GUARD = GUARD.replace("@guard", "@guard(provides=Slot('kind', {}))")
LAYER = "async def layer(c: Context, call_next: Next):\n {}\napp.use(layer)"
MISSING = "async def missing(c: Context):\n {}\napp.not_found(missing)"
ERRORS = "async def told(c: Context, error):\n {}\napp.on_error(told)"
BARE = HANDLER.replace("c: Context", "c")
WORK = (
    "async def work(): ...\nclass Mill:\n async def grind(self): ...\n"
    " @staticmethod\n async def stop(): ...\nmill = Mill()\n"
)
ROLE = "def role(name):\n return guard(check)\nasync def check(c: Context): ...\n"
WRAPPER = "def asked(function):\n async def answer(c: Context):\n  return await function(c)\n return answer\n"
BINDINGS = "class Env(Bindings):\n level: str\n logs: Database\n"
AUTH = "from framework.auth import Auth, verify_password\nauth = Auth()\n"

TAKEN = (
    "from typing import Annotated, Any\nfrom framework import Depends\nclass Person: ...\n"
    "async def find(c: Context) -> {}: ...\n"
    "@app.get('/')\nasync def show(user: Annotated[{}, Depends(find)]): ..."
)

LOOSE = (
    "from collections.abc import Hashable\nfrom typing import Literal, TypeVar\nT = TypeVar('T')\n"
)

KINDS = (
    "from collections.abc import Sequence\n"
    "from typing import Generic, Literal, NewType, Protocol, TypedDict, TypeVar\n"
    "from msgspec import Struct\nT = TypeVar('T')\n"
    "class Person(Struct): ...\nclass Member(Person): ...\nclass Named(Protocol): ...\n"
    "class Box(Struct, Generic[T]): ...\nclass Sent(TypedDict): ..."
)

CORRECT = [
    # statements
    HANDLER.format("await c.database().run('INSERT INTO a SELECT 1')"),
    HANDLER.format("sql = 'SELECT 1'\n sql = 'DELETE FROM a'\n await c.database().run(sql)"),
    HANDLER.format("await print.run('SELECT 1')"),
    "from framework.database import statement\n"
    + HANDLER.format("await c.database().batch([statement('SELECT 1')])"),
    # parameters
    *(HANDLER.replace("c: Context", name).format("...") for name in ("ctx", "request", "_")),
    HANDLER.replace("c: Context", "user").format("user = await user.json()\n if not user: raise"),
    HANDLER.replace("c: Context", "user").format("if not user.path or user == 1: raise"),
    "@app.get('/:id')\nasync def show(id):\n if not id: raise",
    "tenants = Router('/t', host=':tenant.example.com')\n"
    "@tenants.get('/')\nasync def show(tenant): ...\napp.mount(tenants)",
    *(TAKEN.format("Person | None", taken) for taken in ("Person | None", "Any", "object")),
    *(TAKEN.format(returned, "Person") for returned in ("Person", "Any")),
    *(
        LOOSE + TAKEN.format("str | None", taken)
        for taken in ("Literal['a', None]", "T", "Hashable")
    ),
    TAKEN.replace(" -> {}", "").format("Person"),
    *(
        TAKEN.replace("class Person: ...", KINDS).format(returned, taken)
        for returned, taken in (
            ("int", "float"),
            ("bool", "int"),
            ("Member", "Person"),
            ("Person", "Member"),
            ("Person | str", "Person"),
            ("Person", "Named"),
            ("Box", "Box[int]"),
            ("Sent", "dict[str, int]"),
            ("str", "NewType('Name', str)"),
            ("str", "Literal['a']"),
            ("list[int]", "Sequence[int]"),
            ("type", "object"),
        )
    ),
    "from typing import Annotated\nfrom msgspec import Meta\n"
    "@app.get('/')\nasync def show(size: Query[Annotated[int, Meta(ge=1), 'a note']]): ...",
    "from typing import Annotated\nfrom msgspec import Meta, Struct\n"
    "class Ge: ...\nGe.__module__ = 'annotated_types'\n"
    "class Checked(Struct):\n size: Annotated[int, Ge()]\n def __post_init__(self): ...\n"
    "@app.post('/')\nasync def show(size: Query[Annotated[int, Meta(ge=1), Ge()]], sent: Checked): ...",
    "def make():\n class Local: ...\n @app.get('/')\n async def show(c: 'Local | Context'): ...",
    # errors
    HANDLER.format("raise NotFound()"),
    "def make() -> NotFound:\n return NotFound()\n" + HANDLER.format("raise make()"),
    HANDLER.format("def make(): return NotFound()\n raise make()"),
    HANDLER.format("NotFound = dict\n return NotFound()"),
    "from dataclasses import dataclass\n@dataclass\nclass Sent(Exception):\n a: int\n"
    + HANDLER.format("return Sent(1)"),
    "class Why(Exception): ...\n" + SLOT_GUARD.format("Exception", "return Why()"),
    # values
    GUARD.format("return None"),
    GUARD.format("return c.request.path"),
    SLOT_GUARD.format("Response", "return Response.text('a')"),
    LAYER.format("return await call_next()"),
    LAYER.format("def later():\n  return 'text'\n return Response.text(later())"),
    LAYER.format("await call_next()\n raise NotFound()"),
    LAYER.format("await call_next()\n return Response.text('a')"),
    LAYER.format("async def inner():\n  await call_next()\n return await inner() or Response()"),
    LAYER.format("if c.request.path == '/':\n  return await call_next()\n raise NotFound()"),
    ERRORS.format("return None"),
    HANDLER.format("return 'text'"),
    # coroutines
    WORK + "def start():\n return work()",
    WORK + HANDLER.format("await work(); await asyncio.gather(work(), mill.grind())"),
    WORK + HANDLER.format("task = work()\n if c:\n  await task"),
    WORK + HANDLER.format("task = work()\n task.close()"),
    WORK + HANDLER.format("tasks = [work() for _ in range(2)]\n await asyncio.gather(*tasks)"),
    WORK + HANDLER.format("c.wait_until(work()); c.wait_until(asyncio.create_task(work()))"),
    WORK + HANDLER.format("work = print\n work()"),
    WORK + "def start(work):\n work()",
    WORK + "def change():\n global work\n work = print\ndef start():\n work()",
    LAYER.format("answer = call_next()\n return await asyncio.wait_for(answer, 1)"),
    LAYER.format(
        "answer = call_next()\n answer = await answer\n return answer.with_header('a', 'b')"
    ),
    "def helper(call_next):\n call_next()",
    HANDLER.format(
        "rows = await c.database().all(int, 'SELECT 1')\n if rows: ...\n return rows[0]"
    ),
    "class Runner:\n def run(self): ...\ndef start(runner: Runner):\n runner.run()",
    "def start(db: Database, other=None):\n db = other\n db.run('a')",
    "class Log(Bindings):\n level: str\ndef start(env: Log):\n env.level.strip()",
    "def start(c):\n x = y\n y = x\n x.run()",
    # answers
    LAYER.format(
        "answer = await call_next()\n answer = answer.with_header('a', 'b')\n return answer"
    ),
    HANDLER.format("try:\n  Response.redirect(c.request.path)\n except ValueError: ..."),
    "def check(path: str):\n Response.redirect(path)",
    "class Mail:\n def with_header(self, name, value): ...\n"
    + HANDLER.format("mail = Mail()\n mail.with_header('a', 'b')"),
    # what stands above a route
    "def same(function):\n return function\n@same\n" + HANDLER.format("..."),
    "@lru_cache\n" + HANDLER.format("..."),
    "@app.post('/')\n" + HANDLER.format("..."),
    HANDLER.format("...") + "\n@guard\nasync def show(c: Context): ...",
    WORK
    + HANDLER.format(
        "queue = asyncio.Queue()\n asyncio.create_task(queue.put(1))\n return await queue.get()"
    ),
    WORK + HANDLER.format("async with asyncio.timeout(1):\n  asyncio.create_task(work())"),
    WORK + "async def start():\n asyncio.create_task(work())",
    # lists, gather, containers
    WORK + HANDLER.format("tasks = [work(), mill.grind()]\n await asyncio.gather(*tasks)"),
    WORK + HANDLER.format("return await asyncio.gather(*[work() for x in range(3)])"),
    WORK + HANDLER.format("await asyncio.gather(*(work() for x in range(3)))"),
    WORK + HANDLER.format("jobs = {'a': work()}\n await jobs['a']"),
    WORK
    + HANDLER.format("jobs = {k: work() for k in 'ab'}\n for each in jobs.values():\n  await each"),
    WORK + HANDLER.format("pair = work(), mill.grind()\n for each in pair:\n  await each"),
    WORK + HANDLER.format("a, b = work(), work()\n await a\n await b"),
    WORK + HANDLER.format("a = b = work()\n await b"),
    WORK + HANDLER.format("(a := work())\n await a"),
    WORK + HANDLER.format("if (a := work()) is not None:\n  await a"),
    WORK + HANDLER.format("await (a := work())"),
    WORK + HANDLER.format("a = work()\n b = a\n await b"),
    WORK + HANDLER.format("a = work()\n return lambda: a"),
    WORK
    + HANDLER.format("a = work()\n async def later():\n  return await a\n c.wait_until(later())"),
    WORK + HANDLER.format("a = work() if c else None\n if a is not None:\n  await a"),
    WORK + HANDLER.format("a = None\n if c:\n  a = work()\n if a:\n  await a"),
    WORK + HANDLER.format("a = work() or mill.grind()\n await a"),
    WORK + HANDLER.format("await (work() or mill.grind())"),
    WORK + HANDLER.format("await (c.request.path == '/' and work() or mill.grind())"),
    WORK + HANDLER.format("a = c.request.path == '/' and work()\n if a:\n  await a"),
    WORK
    + HANDLER.format(
        "try:\n  await work()\n except Exception:\n  pass\n finally:\n  await mill.grind()"
    ),
    WORK + HANDLER.format("work().close()"),
    WORK + HANDLER.format("work().send(None)"),
    WORK
    + HANDLER.format("coroutine = work()\n assert coroutine is not None\n return await coroutine"),
    WORK
    + HANDLER.format(
        "coroutine = work()\n try:\n  coroutine.send(None)\n except StopIteration: ..."
    ),
    WORK + HANDLER.format("coroutine = work()\n print(coroutine.cr_frame)\n await coroutine"),
    WORK + HANDLER.format("return await asyncio.wait_for(work(), timeout=1)"),
    WORK + HANDLER.format("async with asyncio.timeout(1):\n  await work()"),
    WORK + HANDLER.format("async with asyncio.TaskGroup() as group:\n  group.create_task(work())"),
    WORK + HANDLER.format("task = asyncio.create_task(work())\n task.add_done_callback(print)"),
    WORK + HANDLER.format("kept = set()\n kept.add(asyncio.create_task(work()))"),
    WORK + HANDLER.format("await asyncio.create_task(work())"),
    WORK + HANDLER.format("c.wait_until(work())"),
    WORK + HANDLER.format("c.wait_until(asyncio.ensure_future(work()))"),
    WORK + HANDLER.format("a = work()\n c.wait_until(a)"),
    WORK + HANDLER.format("a = work()\n found = await a\n return found"),
    WORK + HANDLER.format("a = work()\n a = await a\n return a"),
    WORK + HANDLER.format("a = work()\n if c:\n  a = 1\n return a"),
    WORK + PROVIDER.format("a = work()\n return a", "object"),
    WORK + "@app.get('/')\ndef show(c: Context):\n a = work()\n return a",
    WORK + HANDLER.format("for each in [work(), work()]:\n  await each"),
    WORK + HANDLER.format("for each in map(lambda _: work(), 'ab'):\n  await each"),
    WORK + HANDLER.format("match work():\n  case found:\n   await found"),
    WORK + HANDLER.format("match c.request.path:\n  case '/' if await work(): ..."),
    WORK + HANDLER.format("yielded = [await each for each in (work(), work())]\n return yielded"),
    WORK + HANDLER.format("return [x for x in 'ab' if await work()]"),
    WORK + HANDLER.format("call = work\n await call()"),
    WORK + HANDLER.format("print(work, mill.grind, work.__name__)"),
    WORK + HANDLER.format("return work.__name__"),
    WORK + "def start():\n return work()",
    WORK + "def start():\n return [work()]",
    WORK + "def start():\n yield work()",
    WORK + "def start():\n yield from [work(), work()]",
    WORK + "async def start():\n yield work()",
    WORK + "start = lambda: work()",
    WORK + "def start(also=lambda: work()):\n return also()",
    WORK + "def start(run=asyncio.run):\n run(work())",
    WORK + "def start():\n asyncio.run(work())",
    # sync by decoration
    "from functools import wraps\n"
    "def sync(function):\n"
    " @wraps(function)\n"
    " def run(*args):\n"
    "  return asyncio.run(function(*args))\n"
    " return run\n"
    "@sync\n"
    "async def work(): ...\n" + HANDLER.format("work()\n if work(): ..."),
    "from functools import partial, partialmethod\n"
    "async def slow(a): ...\n"
    "quick = partial(slow, 1)\n" + HANDLER.format("await quick()"),
    "import contextlib\n"
    "@contextlib.asynccontextmanager\n"
    "async def opened():\n"
    " yield 1\n" + HANDLER.format("async with opened() as one: ..."),
    "import contextlib\n"
    "@contextlib.contextmanager\n"
    "def opened():\n"
    " yield 1\n" + HANDLER.format("with opened() as one: ..."),
    "async def numbers():\n"
    " yield 1\n"
    + HANDLER.format(
        "async for each in numbers(): ...\n"
        " found = numbers()\n"
        " if found: ...\n"
        " return [x async for x in numbers()]"
    ),
    "async def numbers():\n yield 1\n" + HANDLER.format("numbers()"),
    "def task(function):\n"
    " class Task:\n"
    "  def __call__(self): ...\n"
    " return Task()\n"
    "@task\n"
    "async def work(): ...\n" + HANDLER.format("work()"),
    "def task(function):\n"
    " function.delay = lambda: None\n"
    " return function\n"
    "@task\n"
    "async def work(): ...\n" + HANDLER.format("work.delay()"),
    # __await__
    "class Lazy:\n"
    " def __await__(self):\n"
    "  yield\n"
    " def run(self):\n"
    "  return self\n"
    "lazy = Lazy()\n" + HANDLER.format("lazy.run()\n Lazy()\n if lazy.run(): ..."),
    "class Lazy:\n"
    " def __await__(self):\n"
    "  return asyncio.sleep(0).__await__()\n" + HANDLER.format("await Lazy()"),
    "class Lazy:\n"
    " def __await__(self):\n"
    "  return (yield from asyncio.sleep(0).__await__())\n" + HANDLER.format("await Lazy()"),
    "class Session:\n"
    " async def __aenter__(self): return self\n"
    " async def __aexit__(self, *a): ...\n"
    "class Db:\n"
    " def open(self): return Session()\n"
    "db = Db()\n" + HANDLER.format("async with db.open() as s: ..."),
    "class Pool:\n"
    " async def __aenter__(self): return self\n"
    " async def __aexit__(self, *a): ...\n"
    "pool = Pool()\n" + HANDLER.format("await pool.__aenter__()\n async with pool: ..."),
    # descriptors, properties
    "class Box:\n"
    " @property\n"
    " async def value(self): return 1\n"
    "box = Box()\n" + HANDLER.format("await box.value"),
    "class Box:\n"
    " @property\n"
    " def make(self): return print\n"
    "box = Box()\n" + HANDLER.format("box.make()"),
    "class Late:\n"
    " def __get__(self, thing, kind): return print\n"
    "class Box:\n"
    " make = Late()\n"
    "box = Box()\n" + HANDLER.format("box.make()"),
    "class Box:\n"
    " async def make(self): ...\n"
    "box = Box()\n"
    "box.make = print\n" + HANDLER.format("box.make()"),
    "class Box:\n"
    " async def make(self): ...\n"
    "box = Box()\n" + "def quiet():\n"
    " box.make = print\n" + HANDLER.format("box.make()"),
    "class Box:\n"
    " async def make(self): ...\n"
    "box = Box()\n" + "def quiet():\n"
    " del box.make\n" + HANDLER.format("box.make()"),
    "class Box:\n"
    " def __getattr__(self, name): return print\n"
    "box = Box()\n" + HANDLER.format("box.make()"),
    "class Box:\n"
    " async def make(self): ...\n"
    " def __getattribute__(self, name): return print\n"
    "box = Box()\n" + HANDLER.format("box.make()"),
    "class Meta(type):\n"
    " def __call__(cls): return print\n"
    "class Box(metaclass=Meta):\n"
    " async def make(self): ...\n" + HANDLER.format("Box()('a')"),
    "class Proxy:\n"
    " @property\n"
    " def __class__(self): raise RuntimeError('not now')\n"
    "proxy = Proxy()\n" + HANDLER.format("proxy.first()\n if proxy: ..."),
    # replaced
    WORK + "work = print\n" + HANDLER.format("work()"),
    WORK + "def work(): ...\n" + HANDLER.format("work()"),
    WORK + "if app:\n work = print\n" + HANDLER.format("work()"),
    WORK + "def quiet():\n global work\n work = print\n" + HANDLER.format("work()"),
    WORK + "def quiet():\n global work\n def work(): ...\n" + HANDLER.format("work()"),
    WORK + "def quiet():\n"
    " global work\n"
    " from builtins import print as work\n" + HANDLER.format("work()"),
    WORK + "for work in (print,): ...\n" + HANDLER.format("work()"),
    WORK + "with open(__file__) as work: ...\n" + HANDLER.format("work.close()"),
    WORK + "import builtins as work\n" + HANDLER.format("work.print()"),
    WORK + "from os.path import *\n" + HANDLER.format("basename('a')"),
    WORK + "del work\ndef work(): ...\n" + HANDLER.format("work()"),
    "def start(): work()\ndef work(): ...\nstart()\nasync def work(): ...\n",
    "try:\n"
    " from js import fetch\n"
    "except ImportError:\n"
    " async def fetch(): ...\n" + HANDLER.format("await fetch()"),
    # shadowed
    WORK + HANDLER.format("def work(): ...\n work()"),
    WORK + HANDLER.format("work = lambda: 1\n if work(): ..."),
    WORK + HANDLER.format("for work in (print,):\n  work()"),
    WORK + HANDLER.format("[work() for work in (print,)]"),
    WORK + HANDLER.format("from builtins import print as work\n work()"),
    WORK + HANDLER.format("import os as mill\n mill.getcwd()"),
    WORK + HANDLER.format("with open(__file__) as mill:\n  mill.read()"),
    WORK + HANDLER.format("try: ...\n except ValueError as mill:\n  mill.grind()"),
    WORK + HANDLER.format("match c.request:\n  case mill:\n   mill.grind()"),
    WORK + HANDLER.format("match [1]:\n  case [*mill]:\n   mill.sort()"),
    WORK + HANDLER.format("match {}:\n  case {**mill}:\n   mill.clear()"),
    WORK + HANDLER.format("(mill := []).clear()\n mill.grind if c else mill.clear()"),
    WORK + HANDLER.format("class mill:\n  def grind(): ...\n mill.grind()"),
    WORK + "def start(work=print):\n work()",
    WORK + "def start(*work):\n work[0]()",
    WORK + "def start(**work):\n work.clear()",
    WORK + "def start(*, work):\n work()",
    WORK + "def start():\n def inner(work):\n  work()\n return inner",
    WORK + "class A:\n def work(self): ...\n def start(self):\n  self.work()",
    WORK + "class A:\n def work(): ...\n work()",
    WORK + "def outer():\n def inner():\n  nonlocal_work = print\n  nonlocal_work()\n return inner",
    WORK + "def outer():\n x = work()\n def inner():\n  nonlocal x\n  x = None\n return inner, x",
    WORK + "def outer():\n global kept\n kept = work()",
    "class Sync:\n"
    " def run(self, sql): ...\n"
    " def first(self): ...\n"
    "db = Sync()\n"
    "def outer(c: Context):\n"
    " async def inner():\n"
    "  db = c.database()\n"
    "  await db.run('x')\n"
    " db.run('x')\n"
    " return inner",
    "class Sync:\n"
    " def run(self, sql): ...\n"
    "db = Sync()\n"
    "def outer():\n"
    " async def inner(db: Database):\n"
    "  await db.run('x')\n"
    " db.run('x')\n"
    " return inner",
    "class Sync:\n"
    " def run(self, sql): ...\n"
    "def outer(*dbs: Database):\n"
    " dbs.count(1)\n"
    "def other(db: Sync):\n"
    " db.run('a')",
    "def outer(**all: Database):\n all.items()",
    "def outer(db: 'Database'):\n return db.run('a')",
    "from typing import TypeVar, Generic\n"
    "T = TypeVar('T')\n"
    "class Repo(Generic[T]):\n"
    " def all(self) -> list[T]: ...\n"
    " def first(self): ...\n"
    "def start(repo: Repo[int]):\n"
    " repo.all()\n"
    " if repo.first(): ...",
    "from typing import Protocol\n"
    "class Repo(Protocol):\n"
    " def run(self): ...\n"
    "def start(repo: Repo):\n"
    " repo.run()",
    "from typing import Annotated\ndef start(db: Annotated[int, 'a']):\n db.bit_length()",
    "def start(db: Database | None):\n if db is None: return\n return db.run('a')",
    "class Log(Bindings):\n"
    " first: str\n"
    " def run(self): ...\n"
    "def start(env: Log):\n"
    " env.run()\n"
    " env.first.strip()",
    "class Holder:\n"
    " def database(self): return self\n"
    " def run(self, sql): ...\n"
    "holder = Holder()\n"
    "def start(c):\n"
    " c.database().run('a')\n"
    " holder.database().run('a')\n"
    "def start2(c: Holder):\n"
    " c.database().run('a')",
    # class body in a function
    WORK + "def make():\n class Holder:\n  pending = work()\n return Holder",
    WORK + "def make():\n"
    " class Holder:\n"
    "  def __init__(self):\n"
    "   self.pending = work()\n"
    " return Holder",
    # dataclass / enum values
    WORK + HANDLER.format("mill = Mill()\n mill.pending = work()\n await mill.pending"),
    WORK + HANDLER.format("box = {}\n box['a'] = work()\n await box['a']"),
    WORK + HANDLER.format("await dict(a=work())['a']"),
    WORK + HANDLER.format("await [work()][0]"),
    WORK + HANDLER.format("await (work() if c else mill.grind())"),
    WORK + HANDLER.format("*rest, last = [work(), work()]\n for each in [*rest, last]: await each"),
    WORK + HANDLER.format("results = []\n results += [work()]\n for each in results: await each"),
    WORK + HANDLER.format("found = work()\n found = await found\n if found: ...\n return found"),
    WORK + HANDLER.format("found = work()\n del found"),
    WORK + HANDLER.format("print(f'{await work()}')\n return f'{await mill.grind()}'"),
    WORK + HANDLER.format("return not await work()"),
    WORK + HANDLER.format("return (await c.database().first(dict, 'SELECT 1'))['a']"),
    WORK + HANDLER.format("return locals()"),
    # errors
    "class Nope(Exception):\n"
    " @classmethod\n"
    " def check(cls): ...\n" + HANDLER.format("Nope.check()"),
    "class Nope(Exception):\n"
    " def __init__(self): super().__init__('a')\n"
    " def send(self): ...\n" + HANDLER.format("Nope().send()"),
    "class Reg(Exception):\n"
    " def __init_subclass__(cls): ...\n" + HANDLER.format("class A(Reg): ..."),
    "def problem() -> Exception:\n return ValueError()\n" + HANDLER.format("raise problem()"),
    "def fail(kind=NotFound):\n raise kind()\n" + HANDLER.format("fail()"),
    HANDLER.format("error = NotFound()\n raise error"),
    HANDLER.format("raise (NotFound() if c else Forbidden())"),
    HANDLER.format("errors = [NotFound()]\n raise errors[0]"),
    HANDLER.format(
        "try:\n  raise NotFound()\n except NotFound as error:\n  return {'code': error.code}"
    ),
    ERRORS.format("return Response.text('a')"),
    ERRORS.format("return None if isinstance(error, NotFound) else Response.text('a')"),
    # guards
    SLOT_GUARD.format("bool", "return False"),
    SLOT_GUARD.format("Response", "return Response.text('a')"),
    GUARD.format("return"),
    GUARD.format("return await c.database().first(int, 'SELECT 1') and None"),
    # answers
    HANDLER.format("return (1, 2)"),
    HANDLER.format("return (1, 200)"),
    HANDLER.format("return c.request.path, 7"),
    HANDLER.format("return c.request.path, 'a'"),
    HANDLER.format("return c.request.path, [200]"),
    HANDLER.format("return ()"),
    HANDLER.format("return (c.request.path,)"),
    HANDLER.replace("):", ") -> tuple[str, int]:").format("return c.request.path, 200"),
    HANDLER.replace("):", ") -> tuple:").format("return c.request.path, 200"),
    "from typing import Any, NamedTuple\n"
    "class Pair(NamedTuple):\n"
    " a: str\n"
    " b: int\n" + HANDLER.replace("):", ") -> Any:").format("return c.request.path, 200"),
    "Pair = tuple[str, int]\n"
    + HANDLER.replace("):", ") -> Pair:").format("return c.request.path, 200"),
    "def pair():\n"
    " return [], 201\n"
    + HANDLER.format("items, status = pair()\n return Response.json(items, status)"),
    "import json\n" + HANDLER.replace("):", ") -> str:").format("return json.dumps({})"),
    "import json\n"
    + HANDLER.format(
        "return Response(json.dumps({}).encode(), 200, {'content-type': 'application/json'})"
    ),
    "import json\n" + HANDLER.format("return {'raw': json.dumps({})}"),
    "class json:\n"
    " @staticmethod\n"
    " def dumps(a): return a\n" + HANDLER.format("return json.dumps({})"),
    # above routes
    "import warnings, functools\n"
    "def deprecated(f):\n"
    " @functools.wraps(f)\n"
    " def inner(*a):\n"
    "  return f(*a)\n"
    " inner.__deprecated__ = 'old'\n"
    " return inner\n"
    "@deprecated\n" + HANDLER.format("..."),
    "kept = {}\ndef keep(f):\n kept[f.__name__] = f\n return f\n@keep\n" + HANDLER.format("..."),
    "class Wrapped:\n def __init__(self, f): self.f = f\n@Wrapped\n" + HANDLER.format("..."),
    "def twin(f):\n"
    " def inner():\n"
    "  return f\n"
    " return inner\n"
    "def make():\n"
    + HANDLER.format("...")
    .replace("@app", " @app")
    .replace("\nasync", "\n async")
    .replace("\n ...", "\n  ...")
    + "\n"
    " return show\n"
    "show = twin(make())",
    "def cached(f):\n"
    " done = {}\n"
    " async def inner(c: Context):\n"
    "  if 'a' not in done:\n"
    "   done['a'] = await f(c)\n"
    "  return done['a']\n"
    " return inner\n"
    "@app.get('/')\n"
    "@cached\n"
    "async def show(c: Context): ...",
    "@app.get('/')\n@app.post('/')\n@app.on(['PUT'], '/a')\nasync def show(c: Context): ...",
    # layers
    LAYER.format("return await call_next() if c else Response.text('a')"),
    LAYER.format("try:\n  return await call_next()\n finally:\n  print('a')"),
    LAYER.format(
        "response = await call_next()\n"
        " for name in 'ab':\n"
        "  response = response.with_header(name, 'a')\n"
        " return response"
    ),
    LAYER.format(
        "response = await call_next()\n"
        " return response if response.status < 300 else response.with_header('a', 'b')"
    ),
    LAYER.format(
        "pending = call_next()\n"
        " try:\n"
        "  return await pending\n"
        " except NotFound:\n"
        "  return Response.text('a')"
    ),
    LAYER.format("async with asyncio.timeout(1):\n  return await call_next()"),
    LAYER.format("return await asyncio.shield(call_next())"),
    "class Timer:\n"
    " async def __call__(self, c, call_next):\n"
    "  return await call_next()\n"
    "app.use(Timer())",
    "def make(name):\n"
    " async def layer(c, call_next):\n"
    "  return (await call_next()).with_header(name, 'a')\n"
    " return layer\n"
    "app.use(make('x'))",
    # modules
    "import importlib, sys\n" + HANDLER.format("importlib.reload(sys.modules['json'])"),
    "import types\n"
    "plugin = types.ModuleType('plugin')\n"
    "plugin.run = print\n" + HANDLER.format("plugin.run('a')"),
    "import types\n"
    "@types.coroutine\n"
    "def old():\n"
    " yield\n" + HANDLER.format("await old()\n return old()"),
    "from functools import singledispatch, lru_cache, cached_property\n"
    "@singledispatch\n"
    "def show_it(a): ...\n"
    "@show_it.register\n"
    "async def _(a: int): ...\n" + HANDLER.format("show_it('a')"),
    "from typing import overload\n"
    "@overload\n"
    "async def f(a: int) -> int: ...\n"
    "@overload\n"
    "async def f(a: str) -> str: ...\n"
    "def f(a): return a\n" + HANDLER.format("f(1)"),
    "class A:\n"
    " async def run(self): ...\n"
    "class B(A):\n"
    " def run(self): ...\n"
    "b = B()\n" + HANDLER.format("b.run()"),
    "class A:\n"
    " async def run(self): ...\n"
    " def __init__(self): self.run = print\n"
    "a = A()\n" + HANDLER.format("a.run()"),
    WORK + "import unittest.mock\n"
    "def check():\n"
    " with unittest.mock.patch('app.work', print):\n"
    "  return work",
    WORK + "@lambda f: f\nasync def other():\n await work()\n" + HANDLER.format("await other()"),
    WORK + HANDLER.format("assert isinstance(work(), object) and await work() is None"),
    WORK
    + HANDLER.format("async def run(coroutine):\n  return await coroutine\n await run(work())"),
    WORK + HANDLER.format("run = asyncio.run\n pending = [work]\n await pending[0]()"),
    WORK + HANDLER.format("await asyncio.gather(*{work(), mill.grind()})"),
    WORK + HANDLER.format("async def stream():\n  yield await work()\n return stream()"),
    # what may be caught, what waits, what is sent
    *(
        "from contextlib import AsyncExitStack, suppress\n"
        + HANDLER.format(f"{opened}:\n  Response.redirect(c.request.path)\n {closed}")
        for opened, closed in [
            ("try", "except* ValueError: ..."),
            ("with suppress(ValueError)", "pass"),
            ("async with AsyncExitStack()", "pass"),
        ]
    ),
    "from framework import errors\n"
    + HANDLER.format("try:\n  errors.NotFound\n except AttributeError: ..."),
    WORK
    + HANDLER.format(
        "async def parts():\n  yield await work()\n"
        " asyncio.create_task(work())\n async for part in parts(): ..."
    ),
    WORK + "@app.get('/')\ndef show(c: Context):\n return work()",
    WORK
    + "class Kept:\n def json(self, coroutine): return coroutine.close()\nkept = Kept()\n"
    + HANDLER.format("return kept.json(work())"),
    "class Sent(Exception):\n shown_as = 'a'\n" + HANDLER.format("return Sent()"),
    "class Sent(Exception):\n __attrs_attrs__ = ()\n" + HANDLER.format("return Sent()"),
    HANDLER.format("return c.request.path, 100"),
    PROVIDER.format("return c.request.path, 200", "tuple"),
    PROVIDER.format("return {'later': asyncio.sleep(1)}", "dict"),
    # names that stand for something else where they are used
    "async def sleep(): ...\n" + HANDLER.format("from time import sleep\n sleep(0)"),
    "class Jobs:\n async def pop(self, name): ...\njobs = Jobs()\n"
    + HANDLER.format("match {'a': 1}:\n  case {**jobs}: jobs.pop('a')"),
    WORK + "class Box: ...\nbox = Box()\nbox.mill = Mill()\n"
    "def quiet():\n box.mill.grind = print\n" + HANDLER.format("box.mill.grind()"),
    WORK + "def quick(): ...\n" + HANDLER.format("quick()") + "\nimport sys, types\n"
    "other = types.ModuleType('app')\nother.app, other.quick = app, work\n"
    "sys.modules[__name__] = other",
    # classes that are called as the framework's, or have what these have
    "class Mailer:\n def send(self, text): ...\ndef start(mailer: Mailer):\n mailer.send('a')",
    "class Box:\n def __getattr__(self, name): return print\ndef start(box: Box):\n box.make()",
    "import msgspec\nclass Cart(msgspec.Struct):\n def database(self): return self\n"
    " def run(self): ...\n@app.post('/')\nasync def show(c: Cart):\n c.database().run()",
    HANDLER.format("c.env.text()"),
    HANDLER.format("await c.bindings(type=Bindings).logs.run('')"),
    "def start(call):\n call.request.json()",
    "class Mail:\n def with_header(self, name, value): ...\nasync def make(): return Mail()\n"
    + HANDLER.format("mail = await make()\n mail.with_header('a', 'b')"),
    WORK + HANDLER.format("task = work()\n found = await task\n found.run()"),
    LAYER.format("answer = await call_next()\n answer.header('a')\n return answer"),
    HANDLER.format("await public(c)"),
    PROVIDER.format("return NotFound()", "str | Any"),
    # names and shapes of other frameworks
    "@app.get('/:c')\nasync def show(c):\n return c.upper()",
    HANDLER.format("try:\n  c.req\n except AttributeError: ..."),
    HANDLER.format(
        "try:\n  c.request.query('a')\n except TypeError:\n  return c.request.query['a']"
    ),
    HANDLER.format("try:\n  c.env.DB\n except AttributeError:\n  return c.env['DB']"),
    # bindings: variables have a `get`, and some that the Worker has return at once
    HANDLER.format("if c.env['FEATURES'].get('reviews'):\n  return 'a'"),
    HANDLER.format("c.env['EVENTS'].writeDataPoint(blobs=['a'])"),
    HANDLER.format("room = c.env['ROOM'].get(c.env['ROOM'].idFromName('a'))\n await room.enter()"),
    HANDLER.format("c.wait_until(c.env['MAILS'].send('a'))"),
    HANDLER.format("sent = c.env['MAILS'].send('a')\n await sent"),
    HANDLER.format("await c.env['CACHE'].get('a')"),
    HANDLER.format("a.env['MAILS'].send('a')"),
    "async def deliver(env: dict):\n env['MAILS'].send('a')",
    HANDLER.format("return len(c.request.query)"),
    "class Held:\n env = app\nheld = Held()\ndef start():\n held.env.DB",
    HANDLER.format("if hasattr(c, 'req'):\n  return c.req.path"),
    "class Context: ...\ndef start(c: Context):\n c.req.query('a')",
    HANDLER.replace("c: Context", "req").format("return req.url"),
    HANDLER.format("c = Response()\n return c.status"),
    *(
        ERRORS.replace("c: Context, error", taken).format("return None")
        for taken in ("_, error", "context, c", "asked: Context, c", "*given", "error, *given")
    ),
    "@app.get('/:id')\nasync def show(id, c: Context):\n return id",
    HANDLER.format("return c.app.NAME"),
    LAYER.format(
        "job = asyncio.create_task(asyncio.sleep(0))\n await job\n return await call_next()"
    ),
    LAYER.format(
        "if c.request.path == '/':\n  return await call_next()\n await asyncio.sleep(1)\n raise NotFound"
    ),
    "from framework import HTTPError\nclass Sold(HTTPError):\n"
    " def __init__(self, found): super().__init__(409)\n" + HANDLER.format("raise Sold({'a': 1})"),
    "from framework import HTTPError\n"
    + HANDLER.format("raise HTTPError(401, 'a', headers={'a': 'b'})"),
    HANDLER.format("asked = c.request\n if isinstance(asked, Own):\n  return asked.nothing")
    + "\nclass Own: ...",
    "from framework import Request\nclass Own(Request):\n nothing = 1\n"
    + LAYER.format("c.request = Own\n return await call_next()")
    + "\n"
    + HANDLER.format("return c.request.nothing"),
    LAYER.format("c.env = c.app\n return await call_next()")
    + "\n"
    + HANDLER.format("return c.env.DB"),
    *(
        ERRORS.replace("c: Context, error", f"found, context: {kind}").format("return None")
        for kind in ("Exception", "'Exception'")
    ),
    # links
    *(
        "@app.get('/articles/:slug/:page?', name='article')\nasync def show(slug, page=None): ...\n"
        + HANDLER.replace("show", "linked").format(f"more = {{}}\n return {link}")
        for link in (
            "c.url_for('article', slug='a')",
            "c.url_for('article', slug='a', page=None)",
            "c.url_for('article', slug='a', page=2, other=None)",
            "c.url_for('article', **more)",
            "c.url_for('linked')",
            "c.url_for(c.request.path)",
            "more.url_for('home')",
        )
    ),
    "other = App(guard=public)\n@other.get('/', name='home')\n"
    "async def home(c: Context):\n return c.url_for('home')",
    "def make():\n part = App(guard=public)\n @part.get('/', name='home')\n"
    " async def home(c: Context): return c.url_for('home')\n return part\nparts = {'a': make()}",
    HANDLER.format("try:\n  return c.url_for('blog')\n except ConfigurationError:\n  return '/'"),
    "try:\n import blog\nexcept ImportError:\n blog = None\n"
    + HANDLER.format("return [c.url_for('blog') if blog else '/', blog and c.url_for('blog')]"),
    "BLOG = False\n" + HANDLER.format("if not BLOG:\n  return '/'\n return c.url_for('blog')"),
    # what was written against these checks
    HANDLER.format("return *[1], 201"),
    "import json\n" + HANDLER.replace("):", ") -> str | None:").format("return json.dumps({})"),
    HANDLER.format("a, b = 1, 201\n return a, b"),
    HANDLER.replace("):", ") -> list | tuple:").format("return c.request.path, 200"),
    HANDLER.format("Response.text\n NotFound.status"),
    HANDLER.format("isinstance(c, NotFound)"),
    AUTH + HANDLER.format("auth.user(c)"),
    WORK
    + HANDLER.format(
        "import inspect\n a = work()\n return (await a) if inspect.isawaitable(a) else a"
    ),
    WORK + HANDLER.format("import inspect\n a = work()\n if inspect.isawaitable(a):\n  await a"),
    WORK + "globals()['work'] = print\n" + HANDLER.format("work()"),
    WORK + HANDLER.format("asyncio.get_running_loop().create_task(work())"),
    LAYER.format("task = asyncio.create_task(call_next())\n return await task"),
    "async def shared(c: Context): ...\napp.get('/a')(shared)\napp.post('/b')(shared)",
    GUARD.format("...") + "\nasync def page(c: Context):\n await may(c)\n return may(c)",
    "Role = type(public)\nrole = Role()\n" + HANDLER.format("role == public\n return str(role)"),
    WORK + HANDLER.format("len([work(), work()])\n return max(1, await work())"),
    WORK + HANDLER.format("a, *b = [work(), await work()]\n await a"),
    WORK + HANDLER.format("jobs = {'a': [work()]}\n return {'a': await jobs['a'][0]}"),
    WORK + HANDLER.format("len = print\n len(work())"),
    WORK + HANDLER.format("return {'a': await asyncio.gather(work(), *[work()])}"),
    WORK + HANDLER.format("class Sent(dict): ...\n return Sent(a=asyncio.ensure_future(work()))"),
    PROVIDER.format("return NotFound()", "NotFound | None"),
    PROVIDER.format("return NotFound", "Any"),
    PROVIDER.format("return NotFound()", "object"),
    PROVIDER.format("return asyncio.sleep(1)", "object"),
    PROVIDER.format("asyncio.create_task(asyncio.sleep(0))", "None"),
    GUARD.format("asyncio.create_task(asyncio.sleep(0))"),
    HANDLER.format("try:\n  ExceptionGroup\n except NameError: ..."),
    HANDLER.format(
        "queue = asyncio.Queue()\n asyncio.create_task(queue.put(b'a'))\n"
        " async def body():\n  yield await queue.get()\n return Response(body())"
    ),
    "@app.get('/', guard=guard(lambda c: asyncio.sleep(0)))\nasync def show(c: Context):\n return True",
    GUARD.format("...") + "\nasync def page(c: Context): ...\n"
    "page.__qualname__ = 'may'\napp.get('/page')(page)",
    "class Meta(type):\n def __eq__(cls, other): return True\n __hash__ = type.__hash__\n"
    "class Model(metaclass=Meta):\n def database(self): return self\n def run(self): ...\n"
    "def start(model: Model):\n model.database().run()",
    "class Mill: ...\ndef start(mill: Mill):\n return mill" + ".grind()" * 900,
    "def start(a):\n return " + " + ".join("a" * 1500),
    "TEXT = " + " + ".join(["'a'"] * 1500),
    HANDLER.format("if c: ...\n" + " elif c: ...\n" * 1500 + " else: Response.header"),
    "class Env(Bindings):\n logs: 'not a type'\ndef start(env: Env):\n env.logs.run('')",
    "import sys\n"
    "class Settings:\n app = app\n __file__ = __file__\n __slots__ = ()\n"
    "sys.modules[__name__] = Settings()",
    "import sys\nclass Settings:\n app = app\n __spec__ = None\n"
    " def __getattr__(self, name): raise KeyError(name)\n"
    "sys.modules[__name__] = Settings()",
    "def make(n):\n async def show(c: Context):\n  return n\n return show\n"
    "for n in range(2):\n app.get(f'/{n}')(make(n))",
]
