"""What people write by mistake is refused where it stands, and told what they meant."""

import re
from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Annotated, Any, Protocol, cast

import pytest

from framework import (
    App,
    Batch,
    ConfigurationError,
    Context,
    Depends,
    Job,
    Message,
    Request,
    Response,
    Router,
    all_of,
    any_of,
    guard,
    public,
)
from framework.auth import Auth, User
from framework.compose import Next
from framework.errors import HTTPError, NotFound
from framework.middleware.request_id import request_id
from framework.response import Reply

auth = Auth()


async def handle(c: Context) -> str:
    return "handled"


HERE = r"test_route_checks\.py:[0-9]+"


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda app: app.get(handle), rf'{HERE}.* @app\.get\("/path", guard=\.\.\.\)'),
        (lambda app: app.post(handle), r"@app\.post"),
        (lambda app: app.on(["put"], handle), r"@app\.put"),
        (lambda app: app.get(7), "7: a route is declared at a path"),
        (lambda app: app.get("/", public), "<Guard public> is not a path: name it, as guard=..."),
        (lambda app: app.get("/", auth.guard()), "is not a path: name it, as guard=..."),
        (lambda app: app.get("/", guard=[public])(handle), "compose guards with & and |"),
        (lambda app: app.get("/", guard=auth.guard)(handle), "is not a guard: call it"),
        (lambda app: app.get("/", guard=auth)(handle), r"is not a guard: call its guard\(\)"),
        (lambda app: app.get("/", guard=handle)(handle), r"wrap the function in guard\(\.\.\.\)"),
        (lambda app: app.get("/", guard="public")(handle), r"wrap the function in guard\(\.\.\.\)"),
        (lambda app: Router("/x", guard=cast("Any", auth)), r"is not a guard: call its guard\(\)"),
        (lambda app: any_of(auth.guard(), cast("Any", auth)), r"not a guard: call its guard\(\)"),
        (lambda app: all_of(public, cast("Any", auth.guard)), "is not a guard: call it"),
        (lambda app: all_of(cast("Any", [public])), "compose guards with & and |"),
        (lambda app: public & cast("Any", None), r"None is not a guard: wrap the function"),
        (lambda app: app.cron(handle), rf"{HERE}: name the schedule or the queue in parentheses"),
        (lambda app: app.queue(handle), rf"{HERE}: name the schedule or the queue in parentheses"),
        (lambda app: Router("/x/"), "the prefix '/x/' has to start with / and must not end"),
        (lambda app: Router("x"), "the prefix 'x' has to start with / and must"),
        (lambda app: Router("/"), r"must not end with it; Router\(\) has none"),
        (
            lambda app: app.get("/x/{id}", guard=public)(handle),
            "'{id}' is not a parameter: write :",
        ),
        (lambda app: app.get("/{path:path}", guard=public)(handle), "is not a parameter: write :n"),
        (lambda app: app.use("/x/*", handle), r"write Router\(prefix, guard=\.\.\.\).use\(layer\)"),
        (
            lambda app: app.use(auth.guard()),
            r"is not a layer: write Router\(prefix, guard=\.\.\.\)",
        ),
        (lambda app: App(origins="https://example.com"), "is one origin: write a list of them"),
    ],
)
def test_it_is_said_what_was_meant(declare: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words.replace("|", r"\|")):
        declare(App())


class Pager:
    def __init__(self, size: int = 20) -> None: ...

    async def show(self, c: Context) -> None: ...


def wrapped(handler: Any) -> Any:
    @wraps(handler)
    async def inner(*arguments: Any, **named: Any) -> Any: ...

    return inner


async def takes_pager(pager: Annotated[Pager, Depends(Pager)]) -> None: ...


async def misspelt(ident: int) -> None: ...


async def who_may_be_there(user: User | None) -> None: ...


async def misspelt_untyped(c: Context, ident) -> None: ...  # type: ignore[no-untyped-def]  # people write so


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (
            takes_pager,
            rf"^{HERE}: <class .*Pager'>: this is not a plain function: write async def",
        ),
        (partial(handle), rf"^{HERE}: this is not a plain function: write async def"),
        (Pager().show, rf"^{HERE}: this is not a plain function: write async def"),
        (Pager, "^<class .*Pager'>: this is not a plain function: write async def"),
        (
            wrapped(handle),
            rf"^{HERE}: inner takes \* or .*: write a guard, a provider or a layer",
        ),
        (
            misspelt,
            rf"^{HERE}: .* is not in the path, which has :id, :team: write Query",
        ),
        (misspelt_untyped, rf"^{HERE}: .* is not in the path, which has :id, :team$"),
        (who_may_be_there, r"always be None\. On a public route, write await auth\.user\(c\)"),
    ],
)
def test_of_a_handler_it_is_said_what_was_meant(handler: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words.replace(HERE, ".*" + HERE)):
        App().get("/teams/:team/:id", guard=public)(handler)


def test_a_guard_of_the_framework_is_not_where_a_mistake_is() -> None:
    words = rf"^[^ ]*{HERE}: the parameter 'session' of recent asks for Session"

    with pytest.raises(ConfigurationError, match=words):
        App().get("/", guard=auth.recent())(handle)


def returning(annotation: Any) -> Any:
    async def show() -> Any: ...

    show.__annotations__["return"] = annotation
    return show


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (
            Reply(int, 201),
            r"show: returns Reply\(...\): write Annotated\[Response, Reply\(int, 201\)\]",
        ),
        (Annotated[int, Reply(int, 201)], "sent with 200, and Reply says 201: return a Response"),
        (Annotated[None, Reply(None, 202)], "sent with 204, and Reply says 202"),
        (Annotated[int | None, Reply(int, 203)], "sent with 200 or 204, and Reply says 203"),
    ],
)
def test_a_status_that_is_not_sent_is_not_promised(annotation: Any, words: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"{HERE}: {'' if 'show' in words else '.*'}{words}"
    ):
        App().post("/", guard=public)(returning(annotation))


@pytest.mark.parametrize(
    "annotation",
    [
        int,
        None,
        Annotated[int, Reply(int), Reply(None, 404)],
        Annotated[int, "a note"],
        Annotated[None, Reply(None, 204), Reply(None, 303)],
        Annotated[int | None, Reply(int), Reply(None, 204)],
        Annotated[Response, Reply(int, 201)],
        Annotated[Response | int, Reply(int, 201)],
        Annotated[Any, Reply(int, 201)],
        Annotated[object, Reply(int, 201)],
    ],
)
def test_a_status_that_may_be_sent_is(annotation: Any) -> None:
    app = App()

    app.post("/", guard=public)(returning(annotation))

    assert len(app.routes) == 1


async def no_argument() -> None: ...


async def one(c: Context) -> Any: ...


async def two(c: Context, call_next: Any) -> Any: ...


async def three(c: Context, call_next: Any, more: int) -> Any: ...


async def three_with_default(c: Context, call_next: Any, more: int = 1) -> Any: ...


async def two_and_a_name(c: Context, call_next: Any, *, name: str) -> Any: ...


async def turned_round(error: HTTPError, c: Context) -> Any: ...  # Hono's order


async def of_a_request(request: Request, error: Any) -> Any: ...  # FastAPI's


async def any_number(*arguments: Any) -> Any: ...


def not_async(c: Context, call_next: Any) -> Any: ...


def not_async_either(c: Context) -> Any: ...


TWO: list[Callable[[App, Any], Any]] = [
    lambda app, function: app.use(function),
    lambda app, function: app.on_error(function),
]
ONE: list[Callable[[App, Any], Any]] = [
    lambda app, function: app.not_found(function),
    lambda app, function: app.cron("* * * * *")(function),
    lambda app, function: app.queue("mails")(function),
]


@pytest.mark.parametrize("declare", TWO)
@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (one, "it takes fewer than 2 arguments"),
        (no_argument, "it takes fewer than 2 arguments"),
        (three, "it takes more than 2 arguments"),
        (two_and_a_name, "it takes more than 2 arguments"),
        (request_id, r"it takes fewer than 2 arguments: .*, or call it if it makes one$"),
        (not_async, "it is not async: write async def not_async"),
        (turned_round, r"it asks for HTTPError: write async def turned_round\(c, "),
        (of_a_request, r"it asks for Request: write async def of_a_request\(c, "),
        (None, "it cannot be called"),
        (Response.text("x"), "it cannot be called"),
        (ValueError, "ValueError is a class, not a"),
        (Response, "Response is a class, not a"),
    ],
)
def test_a_layer_that_could_not_be_called_is_refused(
    declare: Callable[[App, Any], Any], function: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        declare(App(), function)


@pytest.mark.parametrize("declare", ONE)
@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (no_argument, "it takes fewer than 1 argument:"),
        (two, "it takes more than 1 argument:"),
        (not_async_either, "it is not async: write async def not_async_either"),
        ("purge", "it cannot be called"),
        (LookupError, "LookupError is a class, not a"),
    ],
)
def test_what_takes_one_thing_is_refused_without(
    declare: Callable[[App, Any], Any], function: Any, problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        declare(App(), function)


async def of_a_batch(batch: Batch) -> None: ...


async def of_a_job(job: Job) -> None: ...


async def of_messages(messages: list[Message]) -> None: ...


async def of_either(context: Context | None) -> None: ...


def of_text_annotations(annotation: str) -> Any:
    async def handler(what: Any) -> None: ...

    handler.__annotations__["what"] = annotation
    return handler


@pytest.mark.parametrize(
    ("declare", "right"),
    [
        (lambda app: app.cron("* * * * *"), "job: Job"),
        (lambda app: app.queue("mails"), "batch: Batch"),
    ],
    ids=["cron", "queue"],
)
@pytest.mark.parametrize(
    ("function", "asked"),
    [
        (one, "Context"),
        (of_messages, "list[framework.queues.Message]"),
        (of_either, "framework.context.Context | None"),
        (of_text_annotations("Context"), "Context"),
    ],
)
def test_a_job_or_a_batch_is_not_what_the_function_asks_for(
    declare: Callable[[App], Any], right: str, function: Any, asked: str
) -> None:
    words = f"since it asks for {asked}: write async def {function.__name__}({right})"

    with pytest.raises(ConfigurationError, match=HERE + ": .*" + re.escape(words)):
        declare(App())(function)


def test_a_job_is_no_batch() -> None:
    app: Any = App()

    with pytest.raises(ConfigurationError, match="of_a_batch is not a function of a job"):
        app.cron("* * * * *")(of_a_batch)
    with pytest.raises(ConfigurationError, match="of_a_job is not a function of a batch"):
        app.queue("mails")(of_a_job)


class HasDatabase(Protocol):
    """What jobs and batches have in common."""

    def database(self) -> Any: ...


async def of_what_has_a_database(where: HasDatabase) -> None: ...


async def of_one_of_both(given: Job | Batch) -> None: ...


async def of_annotated(given: Annotated[Job | Batch, "both"]) -> None: ...


async def of_object(given: object) -> None: ...


@wraps(of_messages)
async def of_what_another_makes_messages_of(messages: Any) -> None: ...


async def of_whatever(given) -> None: ...  # type: ignore[no-untyped-def]  # what this is about


@pytest.mark.parametrize(
    "function",
    [
        *(of_what_has_a_database, of_one_of_both, of_annotated, of_object, of_whatever),
        *(of_text_annotations("Job | Batch"), of_text_annotations("Unknown")),
        of_what_another_makes_messages_of,
    ],
)
def test_what_may_ask_for_a_job_or_a_batch_is_taken(function: Any) -> None:
    app: Any = App()

    assert app.cron("* * * * *")(function) is app.queue("mails")(function) is function


@pytest.mark.parametrize("schedule", ["every day", "", "* * * *", "* * * * * *"])
def test_a_schedule_has_five_fields(schedule: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{re.escape(repr(schedule))} is no schedule"):
        App().cron(schedule)


async def says_text(c: Context) -> str:
    return "nothing here"


async def says_nothing(c: Context) -> None: ...


@pytest.mark.parametrize("handler", [says_text, says_nothing])
def test_what_answers_where_there_is_no_route_has_to_say_its_status(handler: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"{HERE}: .* return a Response with status 404"):
        Router("/x").not_found(handler)


class Layer:
    """A layer that is an object."""

    async def __call__(self, c: Context, call_next: Next) -> Response:
        return (await call_next()).with_header("x-object", "1")


async def named(name: str, c: Context, call_next: Next) -> Response:
    return (await call_next()).with_header("x-partial", name)


async def test_what_can_be_called_is_taken() -> None:
    app = App()
    app.get("/", guard=public)(handle)
    app.use(any_layer, Layer(), partial(named, "1"), request_id())
    app.use(three_with_default_layer, any_with_default_layer)
    app.cron("* * * * *")(any_number)
    app.queue("mails")(any_number)
    app.on_error(any_number)

    answer = await app.request("GET", "/")

    assert answer.status == 200
    assert (answer.header("x-object"), answer.header("x-partial")) == ("1", "1")
    await app.run_cron("* * * * *", {}, 0)


async def any_layer(*arguments: Any) -> Response:
    answer: Awaitable[Response] = arguments[1]()
    return await answer


async def any_with_default_layer(*arguments: Any, status: int = 200) -> Response:
    answer: Response = await arguments[1]()
    assert answer.status == status
    return answer


async def three_with_default_layer(c: Context, call_next: Next, more: int = 1) -> Response:
    return await call_next()


@pytest.mark.parametrize("place", ["app", "router"])
async def test_who_returns_no_answer_is_named_each_time(
    place: str, caplog: pytest.LogCaptureFixture
) -> None:
    app, router = App(), Router("/r")
    app.mount(router)
    {"app": app, "router": router}[place].use(two)
    router.get("/", guard=public)(handle)
    named = f"test_route_checks.py:{two.__code__.co_firstlineno}: this has to return a Response"

    for _ in range(2):
        caplog.clear()
        assert (await app.request("GET", "/r")).status == 500
        assert named in caplog.text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (lambda: handle(Context(None, {})), "a coroutine cannot be sent as JSON: await it"),  # type: ignore[arg-type]  # never looked at
        (lambda: NotFound(), "a NotFound cannot be sent as JSON: raise it"),
        (lambda: Layer(), "a Layer cannot be sent as JSON: msgspec does not support this type"),
    ],
)
async def test_what_cannot_be_sent_is_named(
    value: Callable[[], Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    made = value()

    @app.get("/", guard=public)
    async def answer() -> Any:
        return [made]

    assert (await app.request("GET", "/")).status == 500
    assert words in caplog.text
    if hasattr(made, "close"):
        made.close()


def test_a_guard_returns_what_its_slot_carries() -> None:
    async def wrong(c: Context) -> str:
        return "text"

    async def right(c: Context) -> Batch:
        raise HTTPError(404)

    from framework import Slot

    with pytest.raises(ConfigurationError, match="wrong returns a str, but <Slot job: Job>"):
        guard(wrong, provides=Slot("job", Job))
    assert str(guard(right, provides=Slot("batch", Batch))) == "right"
