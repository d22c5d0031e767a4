"""The OpenAPI document, of applications made here: one fact about it at a time."""

import subprocess
import sys
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, Never, NewType, NoReturn

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # ships no stubs
from openapi_spec_validator import validate

from framework import (
    Alias,
    App,
    ConfigurationError,
    Context,
    Cookie,
    Depends,
    Form,
    Header,
    HTTPError,
    Query,
    Response,
    Router,
    all_of,
    any_of,
    guard,
    public,
)
from framework.credentials import api_key, basic, bearer
from framework.database import Result, Statement, statement
from framework.errors import InvalidField
from framework.guards import CompiledGuard, Guard, SecurityScheme
from framework.multipart import File
from framework.openapi import describe, session_cookie
from framework.openapi_schemas import portable_regex
from framework.plan import Scope
from framework.problem import Problem, problem
from framework.response import Reply

Size = Annotated[int, msgspec.Meta(ge=1, le=9)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\Z")]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class State(StrEnum):
    OPEN = "open"


UserId = NewType("UserId", str)
OwnerId = NewType("OwnerId", UserId)


class Thing(msgspec.Struct):
    """A thing."""

    name: Annotated[str, msgspec.Meta(min_length=1)]
    colour: Colour = Colour.RED
    parts: "list[Thing]" = []


class Draft(msgspec.Struct):
    name: Code


class Upload(msgspec.Struct):
    photo: File


class Album(msgspec.Struct):
    photo: Annotated[File, msgspec.Meta(description="A cat")]
    sign: Annotated[File, msgspec.Meta(extra_json_schema={"contentMediaType": "image/png"})]
    more: list[File]


class Page(Response):
    """An answer with a name of its own."""


class Opaque:
    """What msgspec cannot describe."""


@guard(refuses=(401,), scheme=session_cookie())
async def signed_in(c: Context) -> None: ...


@guard(refuses=(401,), scheme=SecurityScheme("token", {"type": "http", "scheme": "bearer"}))
async def with_token(c: Context) -> None: ...


@guard(refuses=(404,))
async def owner(c: Context, id: int, team: Query[Code] = "") -> None: ...


@guard
async def silent(c: Context) -> None: ...


async def fits(c: Context, token: str) -> bool:
    return token == "right"


async def knows(c: Context, user: str, password: str) -> bool:
    return (user, password) == ("ada", "right")


def document_of(app: App, **options: Any) -> dict[str, Any]:
    """Return the document of *app*, which is valid OpenAPI and survives JSON."""
    described = describe(app, title="Test", version="1", **options)
    validate(described)
    return dict(msgspec.json.decode(msgspec.json.encode(described)))


def only(app: App, **options: Any) -> dict[str, Any]:
    """Return the one operation of *app*."""
    ((_, item),) = document_of(app, **options)["paths"].items()
    ((_, operation),) = item.items()
    return dict(operation)


def test_info_is_what_was_said() -> None:
    described = document_of(App(), description="Says.")

    assert described["openapi"].startswith("3.1")
    assert described["info"] == {"title": "Test", "version": "1", "description": "Says."}
    assert described["paths"] == {}


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/", {"/": []}),
        ("/notes/:id{[0-9]+}", {"/notes/{id}": [("id", "^[0-9]+$", None)]}),
        ("/:kind{a|b}", {"/{kind}": [("kind", "^(?:a|b)$", None)]}),
        ("/:at{(?P<y>[0-9]+)\\Z}", {"/{at}": [("at", "^([0-9]+)$$", None)]}),
        ("/a/:b?", {"/a": [], "/a/{b}": [("b", None, None)]}),
        ("/f/:file{.+}", {"/f/{file}": [("file", "^.+$", "slashes too")]}),
        ("/f/*", {"/f/{wildcard}": [("wildcard", None, "or nothing")]}),
        ("/*/:wildcard/*", {"/{wildcard1}/{wildcard}/{wildcard2}": None}),
        ("/caf\u00e9 au lait", {"/caf%C3%A9%20au%20lait": []}),
    ],
)
def test_paths_are_templates(path: str, written: dict[str, Any]) -> None:
    app = App()
    app.get(path, guard=public)(lambda: "")

    paths = document_of(app)["paths"]

    assert set(paths) == set(written)
    for template, expected in written.items():
        parameters = paths[template]["get"].get("parameters", [])
        assert all(p["in"] == "path" and p["required"] is True for p in parameters)
        if expected is not None:
            assert [(p["name"], p["schema"].get("pattern")) for p in parameters] == [
                (name, pattern) for name, pattern, _ in expected
            ]
        for parameter, (_, _, said) in zip(parameters, expected or (), strict=False):
            assert said is None or said in parameter["description"]


@pytest.mark.parametrize(
    ("type", "schema"),
    [
        (str, {"type": "string", "pattern": "^[0-9]+$"}),
        (int, {"type": "integer"}),
        (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}),
        (float, {"type": "number"}),
        (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}], "pattern": "^[0-9]+$"}),
    ],
    ids=str,
)
def test_a_pattern_is_said_of_text_alone(type: Any, schema: dict[str, Any]) -> None:
    async def show(id: Any) -> None: ...

    show.__annotations__["id"] = type
    app = App()
    app.get("/:id{[0-9]+}", guard=public)(show)

    assert only(app)["parameters"][0]["schema"] == schema


def test_an_integer_may_be_said_to_be_wide() -> None:
    app = App()

    @app.get("/", guard=public)
    async def show(
        since: Query[Annotated[int, msgspec.Meta(extra_json_schema={"format": "int64"})]],
    ) -> None: ...

    assert only(app)["parameters"][0]["schema"] == {"type": "integer", "format": "int64"}


def test_two_routes_of_one_template_are_both_there() -> None:
    app = App()
    app.get("/:id{[0-9]+}", guard=public, name="number")(lambda: "")
    app.get("/:id", guard=public, name="word")(lambda: "")

    paths = document_of(app)["paths"]

    assert {path: item["get"]["operationId"] for path, item in paths.items()} == {
        "/{id}": "number",
        "/{id_2}": "word",
    }
    assert paths["/{id_2}"]["get"]["parameters"][0]["name"] == "id_2"


def test_paths_that_differ_by_their_names_alone_are_one_path() -> None:
    app = App()
    app.get("/:id{[0-9]+}/a", guard=public, name="number")(lambda: "")
    app.get("/:name/a", guard=public, name="word")(lambda: "")
    app.put("/:one/a", guard=public, name="put")(lambda one: "")
    app.delete("/:two/a", guard=public, name="delete")(lambda two: "")

    paths = document_of(app)["paths"]

    written = {
        path: {verb: [one["name"] for one in said["parameters"]] for verb, said in item.items()}
        for path, item in paths.items()
    }
    # "Templated paths with the same hierarchy but different templated names MUST NOT exist" (3.1.1)
    assert written == {
        "/{id}/a": {"get": ["id"], "put": ["id"], "delete": ["id"]},
        "/{name}/a": {"get": ["name"]},
    }


def test_a_regex_that_only_python_reads_is_left_out() -> None:
    app = App()
    app.get("/:file{(?i).+[.]png}", guard=public)(lambda file: "")

    [parameter] = only(app)["parameters"]

    assert parameter["schema"] == {"type": "string"}


def test_names_are_unique() -> None:
    app = App()
    for path in ("/a", "/b", "/c"):
        app.get(path, guard=public, name="show")(lambda: "")
    app.all("/d", guard=public, name="each")(lambda: "")

    items = document_of(app)["paths"].values()

    assert [operation["operationId"] for item in items for operation in item.values()] == [
        "show", "show_get", "show_get_2", "each", "each_post", "each_put", "each_patch", "each_delete",
    ]  # fmt: skip


def test_hidden_routes_and_methods_that_openapi_has_no_word_for_are_left_out() -> None:
    app = App()
    app.get("/hidden", guard=public, hide=True)(lambda: "")
    app.on("PURGE", "/cache", guard=public)(lambda: "")

    assert document_of(app)["paths"] == {}


def test_the_docstring_tells() -> None:
    app = App()

    @app.get("/told", guard=public)
    async def told() -> str:
        """Tell it short.

        Tell it long:
            and deep.
        """
        return ""

    operation = only(app)

    assert operation["summary"] == "Tell it short"
    assert operation["description"] == "Tell it long:\n    and deep."


class Told(msgspec.Struct):
    """Tell it short.

    Tell it long:
        and deep.
    """


def test_the_docstring_of_a_struct_tells_the_same_to_every_python() -> None:
    app = App()

    @app.get("/told", guard=public)
    async def told() -> Told:
        return Told()

    described = document_of(app)["components"]["schemas"]["Told"]["description"]

    assert described == "Tell it short.\n\nTell it long:\n    and deep."


def test_without_a_docstring_the_name_tells() -> None:
    app = App()
    app.get("/", guard=public, name="show_it")(lambda: "")

    assert only(app)["summary"] == "Show it"


def test_a_tag_is_the_end_of_the_prefix_or_the_module() -> None:
    app, api = App(), Router("/api/v1")
    router, inner, bare = Router("/:team/my-things"), Router("/users/:id/keys"), Router()
    for each in (app, router, inner, bare):
        each.get("/", guard=public)(lambda: "")
    app.mount(router)
    app.mount(api)
    api.mount(inner)
    api.mount(bare)

    described = document_of(app)

    assert described["paths"]["/api/v1/users/{id}/keys"]["get"]["tags"] == ["keys"]
    assert described["paths"]["/api/v1"]["get"]["tags"] == ["test_openapi"]
    assert described["paths"]["/"]["get"]["tags"] == ["test_openapi"]
    assert described["paths"]["/{team}/my-things"]["get"]["tags"] == ["my-things"]
    assert described["tags"] == [
        {"name": "keys"},
        {"name": "my-things"},
        {
            "name": "test_openapi",
            "description": "The OpenAPI document, of applications made here: one fact about it at"
            " a time.",
        },
    ]


def test_parameters_say_where_they_are_what_they_are_and_what_they_default_to() -> None:
    app = App()

    @app.get("/:id/:word", guard=public)
    async def show(
        c: Context,
        id: int,
        size: Query[Size],
        x_trace_id: Header[str | None] = None,
        theme: Cookie[Colour] = Colour.BLUE,
        tags: Query[list[str]] = [],  # noqa: B006  read, never changed
        cursor: Query[Code | None] = None,
        code: Query[Code] = "",
    ) -> str:
        return ""

    parameters = {p["name"]: p for p in only(app)["parameters"]}

    assert list(parameters) == [
        "id", "word", "size", "x-trace-id", "theme", "tags", "cursor", "code",
    ]  # fmt: skip
    assert parameters["id"]["schema"] == {"type": "integer"}
    assert parameters["word"]["schema"] == {"type": "string"}
    assert parameters["size"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 9}
    assert [name for name, p in parameters.items() if p["required"]] == ["id", "word", "size"]
    assert parameters["x-trace-id"]["in"] == "header"
    assert parameters["x-trace-id"]["schema"] == {"type": "string"}
    assert parameters["theme"]["in"] == "cookie"
    assert parameters["theme"]["schema"]["default"] == "blue"
    assert parameters["tags"]["schema"] == {
        "type": "array", "items": {"type": "string"}, "default": [],
    }  # fmt: skip
    assert parameters["cursor"]["schema"] == {"type": "string", "pattern": "^[a-z]+$"}
    assert "default" not in parameters["code"]["schema"]


def test_what_guards_read_is_called_as_clients_call_it() -> None:
    @guard
    async def asks(
        team: Annotated[int, Alias("team_id")], first: Annotated[Query[int], Alias("from")]
    ) -> None: ...

    app = App()
    app.get("/:team_id", guard=asks)(lambda: "")

    parameters = only(app)["parameters"]
    assert [(p["in"], p["name"], p["schema"]["type"]) for p in parameters] == [
        ("path", "team_id", "integer"),
        ("query", "from", "integer"),
    ]


def test_what_providers_of_guards_read_is_there_and_is_no_name_of_the_path() -> None:
    def zone(name: Annotated[Header[str], Alias("x-zone")] = "") -> str:
        return name

    def page(size: Query[int], zone: Annotated[str, Depends(zone)]) -> int:
        return size + len(zone)

    @guard
    async def asks(id: Annotated[int, Depends(page)]) -> None: ...

    app = App()

    @app.get("/:id", guard=asks)
    async def show(id: str) -> str:
        return id

    operation = only(app)
    assert [(p["in"], p["name"], p["schema"]["type"]) for p in operation["parameters"]] == [
        ("path", "id", "string"),
        ("query", "size", "integer"),
        ("header", "x-zone", "string"),
    ]
    assert "422" in operation["responses"]


async def takes_context(c: Context) -> None: ...


async def takes_any(c) -> None: ...  # type: ignore[no-untyped-def]  # which is text


@pytest.mark.parametrize("asks", [takes_context, takes_any])
def test_a_name_of_the_path_is_text_where_a_guard_says_nothing_else_of_it(asks: Any) -> None:
    app = App()
    app.get("/a/:c", guard=guard(asks))(lambda: "")

    [parameter] = only(app)["parameters"]

    assert parameter["schema"] == {"type": "string"}


def test_what_one_of_several_ways_reads_may_be_left_out() -> None:
    @guard
    async def by_key(x_key: Header[str]) -> None: ...

    @guard
    async def of_tenant(tenant: Query[str]) -> None: ...

    app = App()

    @app.get("/", guard=(bearer("TOKEN") | by_key) & of_tenant)
    async def show() -> None: ...

    assert [(p["name"], p["required"], p["schema"]) for p in only(app)["parameters"]] == [
        ("tenant", True, {"type": "string"}),
        ("x-key", False, {"type": "string"}),
    ]


def test_what_is_read_twice_under_two_names_is_there_once() -> None:
    @guard
    async def keyed(
        key: Annotated[Header[str], Alias("X-Key")], first: Annotated[Query[int], Alias("from")]
    ) -> None: ...

    app = App()

    @app.get("/", guard=keyed)
    async def show(x_key: Header[Code], since: Annotated[Query[int], Alias("from")]) -> None: ...

    parameters = only(app)["parameters"]

    assert [(p["name"], p["schema"].get("pattern")) for p in parameters] == [
        ("x-key", "^[a-z]+$"),
        ("from", None),
    ]


def since(day: int) -> Statement:
    return statement("SELECT ?1", day)


def test_what_guards_read_is_there_too() -> None:
    @guard(reads=since)
    async def is_recent(found: Result) -> None: ...

    app = App()
    app.get("/:id/:day", guard=signed_in & owner & is_recent)(lambda: "")

    parameters = only(app)["parameters"]

    assert [(p["name"], p["in"], p["schema"].get("type")) for p in parameters] == [
        ("id", "path", "integer"),
        ("day", "path", "integer"),
        ("team", "query", "string"),
    ]


def test_a_body_is_there_in_every_media_type() -> None:
    app = App()

    @app.post("/", guard=public)
    async def add(c: Context, thing: Thing | Form[Draft]) -> None: ...

    described = document_of(app)
    body = described["paths"]["/"]["post"]["requestBody"]

    assert body["required"] is True
    assert {kind: content["schema"] for kind, content in body["content"].items()} == {
        "application/json": {"$ref": "#/components/schemas/Thing"},
        "application/x-www-form-urlencoded": {"$ref": "#/components/schemas/Draft"},
    }
    assert (
        described["components"]["schemas"]["Draft"]["properties"]["name"]["pattern"] == "^[a-z]+$"
    )


def test_single_fields_of_a_form_are_its_schema() -> None:
    app = App()

    def add_to(path: str, kind: Any) -> None:
        @app.post(path, guard=public)
        async def add(
            name: Form[Code], size: Annotated[Form[kind], Alias("the-size")] = 1
        ) -> None: ...

    add_to("/a", Size)
    add_to("/b", int)

    described = document_of(app)
    [first, second] = [
        described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        for path in ("/a", "/b")
        for content in described["paths"][path]["post"]["requestBody"]["content"].values()
        for schema in content.values()
    ]

    size = {"type": "integer", "default": 1}
    assert list(described["paths"]["/a"]["post"]["requestBody"]["content"]) == [
        "application/x-www-form-urlencoded"
    ]
    assert first["required"] == ["name"]
    assert first["properties"]["the-size"] == size | {"minimum": 1, "maximum": 9}
    assert second["properties"] == {
        "name": {"type": "string", "pattern": "^[a-z]+$"},
        "the-size": size,
    }


def test_the_schema_of_single_fields_is_called_after_the_handler() -> None:
    app = App()

    def add_to(path: str, kind: Any) -> None:
        @app.post(path, guard=public)
        async def save(size: Form[kind]) -> None: ...

    @app.post("/a", "/b", guard=public)
    async def rename(name: Form[str]) -> None: ...

    add_to("/c", int)
    add_to("/d", float)

    schemas = document_of(app)["components"]["schemas"]

    assert [name for name in schemas if name.endswith("_form")] == [
        "rename_form",
        "tests.test_openapi.2.save_form",
        "tests.test_openapi.save_form",
    ]


def test_two_structs_of_one_name_have_two_titles() -> None:
    app = App()
    other = msgspec.defstruct("Problem", [("what", str)], module="shop")
    app.get("/", guard=public)(lambda: None)

    async def show() -> Any: ...

    show.__annotations__["return"] = other
    app.get("/shop", guard=public)(show)

    schemas = document_of(app)["components"]["schemas"]

    # openapi-python-client calls its classes by their titles, and leaves out the second of one.
    assert [schemas[name]["title"] for name in sorted(schemas)] == [
        "InvalidField",
        "framework.problem.Problem",
        "shop.Problem",
    ]


def test_a_form_with_files_beside_json_has_its_own_schema() -> None:
    app = App()

    @app.post("/", guard=public)
    async def add(thing: Thing | Form[Upload]) -> None: ...

    content = document_of(app)["paths"]["/"]["post"]["requestBody"]["content"]

    assert {kind: said["schema"]["$ref"] for kind, said in content.items()} == {
        "application/json": "#/components/schemas/Thing",
        "multipart/form-data": "#/components/schemas/Upload",
    }


def test_a_tuple_has_no_false_that_generators_take_for_a_schema() -> None:
    app = App()

    @app.get("/", guard=public)
    async def show() -> tuple[int, str]:
        return (1, "a")

    answer = only(app)["responses"]["200"]["content"]["application/json"]["schema"]

    assert answer == {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "prefixItems": [{"type": "integer"}, {"type": "string"}],
    }


def test_a_file_in_a_form_is_its_bytes() -> None:
    app = App()

    @app.post("/", guard=public)
    async def add(album: Form[Album]) -> None: ...

    schemas = document_of(app)["components"]["schemas"]

    bytes_of_it = {
        "type": "string",
        "format": "binary",
        "contentMediaType": "application/octet-stream",
    }
    assert schemas["Album"]["properties"] == {
        "photo": {**bytes_of_it, "description": "A cat"},
        "sign": {**bytes_of_it, "contentMediaType": "image/png"},
        "more": {"type": "array", "items": bytes_of_it},
    }
    # As a component of that name, hey-api's client has `type File = Blob | File`, a circle.
    assert "File" not in schemas


@pytest.mark.parametrize(
    ("returns", "answers"),
    [
        (str, {"200": ["text/plain; charset=utf-8"]}),
        (State, {"200": ["text/plain; charset=utf-8"]}),
        (State | None, {"200": ["text/plain; charset=utf-8"], "204": []}),
        (Literal["a", "b"], {"200": ["text/plain; charset=utf-8"]}),
        (Literal["a", 1], {"200": ["application/json"]}),
        (UserId, {"200": ["text/plain; charset=utf-8"]}),
        (OwnerId, {"200": ["text/plain; charset=utf-8"]}),
        (Colour, {"200": ["application/json"]}),
        (bytes, {"200": ["application/octet-stream"]}),
        (None, {"204": []}),
        (Response, {"200": []}),
        (Page, {"200": []}),
        (Any, {"200": []}),
        (NoReturn, {}),
        (Never, {}),
        (Thing, {"200": ["application/json"]}),
        (list[Thing], {"200": ["application/json"]}),
        (Annotated[Thing, {"note": "has no hash"}], {"200": ["application/json"]}),
        (Opaque, {"200": ["application/json"]}),
        (Thing | None, {"200": ["application/json"], "204": []}),
        (Thing | str, {"200": ["text/plain; charset=utf-8", "application/json"]}),
        (Annotated[Response, Reply(Thing, 201)], {"201": ["application/json"]}),
        (Annotated[Response, Reply(None, 204)], {"204": []}),
        (Annotated[Response, Reply(str, media_type="text/csv")], {"200": ["text/csv"]}),
        (Annotated[Response, Reply(bytes, media_type="image/png")], {"200": ["image/png"]}),
        (
            Annotated[Response, Reply(Thing), Reply(Problem, 409)],
            {"200": ["application/json"], "409": ["application/problem+json"]},
        ),
        (
            Annotated[Response, Reply(Thing), Reply(None, 303)],
            {"200": ["application/json"], "303": []},
        ),
        (Annotated[Response, Reply(Thing)] | None, {"200": ["application/json"], "204": []}),
    ],
)
def test_answers_come_from_what_the_handler_returns(
    returns: Any, answers: dict[str, list[str]]
) -> None:
    app = App()

    async def show() -> Any: ...

    show.__annotations__["return"] = returns
    app.get("/", guard=public)(show)

    told = only(app)["responses"]

    assert {
        status: list(answer.get("content", {})) for status, answer in told.items() if "$ref" not in answer
    } == answers  # fmt: skip


@pytest.mark.parametrize("several", [False, True], ids=["one", "list"])
def test_an_answer_may_be_one_of_several_structs_without_tags(several: bool) -> None:
    app = App()

    async def show() -> Any: ...

    show.__annotations__["return"] = list[Thing | Draft] if several else Thing | Draft | None
    app.get("/", guard=public)(show)

    document = describe(app, title="T", version="1")

    validate(document)
    answer = document["paths"]["/"]["get"]["responses"]["200"]
    schema = answer["content"]["application/json"]["schema"]
    either = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Thing", "Draft")]}
    assert schema == ({"type": "array", "items": either} if several else either)


class Feed(msgspec.Struct):
    newest: Thing | Draft


class Unfinished(msgspec.Struct):
    later: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  on purpose


@pytest.mark.parametrize(
    ("returns", "words"),
    [
        (Feed, r"Thing \| .*Draft"),
        (Unfinished, "'Nowhere' is not defined"),
        (list[Unfinished], "'Nowhere' is not defined"),
    ],
)
def test_an_answer_without_a_schema_is_told_of(returns: Any, words: str) -> None:
    app = App()

    async def show() -> Any: ...

    show.__annotations__["return"] = returns
    app.get("/", guard=public)(show)

    with pytest.raises(ConfigurationError, match=rf"cannot describe an answer.*{words}"):
        describe(app, title="", version="")


def test_a_handler_may_name_the_problems_it_raises() -> None:
    app = App()

    @app.post("/", guard=public)
    async def add(c: Context) -> Annotated[Response, Reply(Thing, 201), Reply(None, 409)]:
        return Response.empty()

    assert only(app)["responses"]["409"] == {"$ref": "#/components/responses/Conflict"}


@pytest.mark.parametrize(
    ("method", "path", "asks", "statuses"),
    [
        ("GET", "/", public, set()),
        ("POST", "/", public, {"403"}),
        ("GET", "/:id", public, {"400", "404"}),
        ("GET", "/", signed_in, {"401", "503"}),
        ("GET", "/", silent, {"403", "503"}),
        ("GET", "/:id", owner, {"400", "404", "422", "503"}),
        ("DELETE", "/", signed_in | with_token, {"401", "403", "503"}),
    ],
    ids=lambda value: str(value) if isinstance(value, Guard) else None,
)
def test_refusals_come_from_path_guard_and_method(
    method: str, path: str, asks: Guard, statuses: set[str]
) -> None:
    app = App()
    app.on(method, path, guard=asks)(lambda: None)

    assert set(only(app)["responses"]) - {"default", "200"} == statuses


def test_refusals_come_from_what_is_read() -> None:
    app = App()

    @app.get("/query", guard=public)
    async def show(c: Context, size: Query[int] = 1) -> str:
        return ""

    @app.post("/body", guard=public)
    async def add(c: Context, thing: Thing) -> str:
        return ""

    paths = document_of(app)["paths"]

    assert set(paths["/query"]["get"]["responses"]) == {"200", "400", "422", "default"}
    assert set(paths["/body"]["post"]["responses"]) == {
        "200", "400", "403", "413", "415", "422", "default",
    }  # fmt: skip


SESSION: dict[str, list[str]] = {"session": []}
TOKEN: dict[str, list[str]] = {"token": []}


@pytest.mark.parametrize(
    ("asks", "security"),
    [
        (public, []),
        (silent, None),
        (signed_in, [SESSION]),
        (signed_in & silent, [SESSION]),
        (signed_in & with_token, [SESSION | TOKEN]),
        (signed_in | with_token, [SESSION, TOKEN]),
        (signed_in | silent, [SESSION]),
        (silent | signed_in, [SESSION]),
        (any_of(silent, owner), None),
        (any_of(signed_in, with_token) & silent, [SESSION, TOKEN]),
        (bearer("KEY"), [{"bearer": []}]),
        (basic(knows), [{"basic": []}]),
        (api_key("KEY"), [{"api_key": []}]),
        (bearer("KEY", name="admin's key"), [{"admin_s_key": []}]),
        (signed_in | bearer("KEY"), [SESSION, {"bearer": []}]),
        (signed_in & api_key("KEY"), [SESSION | {"api_key": []}]),
        (bearer("KEY") | bearer("OTHER"), [{"bearer": []}]),
        (bearer("KEY") | bearer("KEY", realm="b"), [{"bearer": []}, {"bearer_2": []}]),
        (all_of(signed_in, any_of(with_token, silent)), [SESSION | TOKEN, SESSION]),
        (any_of(signed_in & with_token, with_token), [SESSION | TOKEN, TOKEN]),
    ],
    ids=str,
)
def test_security_is_what_the_guard_says(
    asks: Guard, security: list[dict[str, Any]] | None
) -> None:
    app = App()
    app.get("/:id", guard=asks)(lambda: "")

    described = document_of(app)
    operation = described["paths"]["/{id}"]["get"]

    assert operation.get("security") == security
    assert operation["x-guard"] == str(asks)
    assert set(described["components"].get("securitySchemes", {})) == {
        name for way in security or () for name in way
    }


@pytest.mark.parametrize(
    ("asks", "definition"),
    [
        (bearer("KEY"), {"type": "http", "scheme": "bearer", "description": "Realm: api."}),
        (
            bearer(verify=fits, realm="b"),
            {"type": "http", "scheme": "bearer", "description": "Realm: b."},
        ),
        (basic(knows), {"type": "http", "scheme": "basic", "description": "Realm: site."}),
        (api_key("KEY"), {"type": "apiKey", "in": "header", "name": "x-api-key"}),
        (api_key("KEY", header="X-Other"), {"type": "apiKey", "in": "header", "name": "x-other"}),
    ],
    ids=["bearer", "realm", "basic", "api_key", "header"],
)
async def test_a_credential_is_described_and_refused_as_the_document_says(
    asks: Guard, definition: dict[str, str]
) -> None:
    app = App()
    app.get("/", guard=asks)(lambda: "")

    described = document_of(app)
    responses = described["paths"]["/"]["get"]["responses"]

    assert [*described["components"]["securitySchemes"].values()] == [definition]
    assert set(responses) == {"200", "401", "503", "default"}
    assert (await app.request("GET", "/", env={"KEY": "right"})).status == 401


def test_schemes_of_one_name_and_other_definitions_are_told_apart() -> None:
    app = App()
    app.get("/a", guard=api_key("KEY", header="x-first"))(lambda: "")
    app.get("/b", guard=api_key("KEY", header="x-second"))(lambda: "")
    app.get("/c", guard=api_key("OTHER", header="X-First"))(lambda: "")
    app.get("/d", guard=bearer("KEY", name="api_key_2"))(lambda: "")

    described = document_of(app)
    paths, schemes = described["paths"], described["components"]["securitySchemes"]

    used = [[*way] for item in paths.values() for way in item["get"]["security"]]
    assert used == [["api_key"], ["api_key_2"], ["api_key"], ["api_key_2_2"]]
    assert [schemes[name].get("name") for (name,) in used] == [
        "x-first", "x-second", "x-first", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "written"),
    [("a b/c", "a_b_c"), ("schlüssel", "schl_ssel"), ("a.b-c_9", "a.b-c_9"), ("鍵", "_")],
)
def test_a_scheme_is_called_what_a_component_may_be(name: str, written: str) -> None:
    app = App()
    app.get("/", guard=api_key("KEY", name=name))(lambda: "")

    assert [*document_of(app)["components"]["securitySchemes"]] == [written]


def test_a_guard_that_does_not_say_can_be_told_of() -> None:
    app = App()
    app.get("/", guard=silent)(lambda: "")

    operation = only(app, schemes={silent: session_cookie("sid")})

    assert operation["security"] == [SESSION]
    assert set(operation["responses"]) == {"200", "401", "503", "default"}


@dataclass
class Word(Guard):
    """Has no hash, and is equal to others, as a dataclass is."""

    word: str

    def compile(self, scope: Scope) -> CompiledGuard:
        return public.compile(scope)


def test_guards_without_a_hash_are_described_each_for_itself() -> None:
    app = App()
    secret, other = Word("a"), Word("a")
    other.refuses = (418,)
    app.get("/", guard=secret & other)(lambda: "")

    operation = only(app, schemes={silent: session_cookie("sid")})

    assert "security" not in operation
    assert {"403", "418"} < set(operation["responses"])


@pytest.mark.parametrize(
    ("scheme", "name"), [(session_cookie("sid"), "sid"), (session_cookie(), "auth_session")]
)
def test_the_cookie_of_localhost_is_told_of(scheme: SecurityScheme, name: str) -> None:
    assert scheme.definition["name"] == f"__Host-{name}"
    assert f"`{name}`" in scheme.definition["description"]


@pytest.mark.parametrize(
    "error",
    [
        HTTPError(),
        HTTPError(418, "I am a teapot."),
        HTTPError(422, errors=[InvalidField("Expected int.", pointer="/size")]),
        HTTPError(422, errors=[InvalidField("Required.", parameter="query:size")]),
    ],
    ids=["bare", "detail", "pointer", "parameter"],
)
def test_the_problem_schema_fits_what_is_answered(error: HTTPError) -> None:
    app = App()
    app.get("/", guard=public)(lambda: "")
    described = document_of(app)
    schema = {**described, "$ref": "#/components/schemas/Problem"}
    body = problem(error).body
    assert isinstance(body, bytes)
    answered = msgspec.json.decode(body)

    Draft202012Validator(schema).validate(answered)

    assert set(answered) <= set(described["components"]["schemas"]["Problem"]["properties"])


@pytest.mark.parametrize(
    ("python", "portable"),
    [
        (r"^a\Z", "^a$"),
        (r"\Aa", "^a"),
        (r"a\\Z", r"a\\Z"),
        (r"a\\\Z", r"a\\$"),
        (r"(?P<y>a)\.", r"(a)\."),
        (r"(?:a)(?=b)(?!c)(?<=d)(?<!e)", r"(?:a)(?=b)(?!c)(?<=d)(?<!e)"),
        (r"\(?a", r"\(?a"),
        (r"\\(?i:a)", ""),
        (r"^(?i)a$", ""),
        (r"(?P<y>a)(?P=y)", ""),
        (r"(?>a)", ""),
        (r"(?#a)", ""),
        (r"a++", ""),
        (r"a{2}+", ""),
        (r"a{,3}", ""),
        (r"[]a]", ""),
        (r"[^]a]", ""),
        (r"\a", ""),
        (r"\++\{,[*+?]+[\]*+][(?i]", r"\++\{,[*+?]+[\]*+][(?i]"),
    ],
)
def test_regexes_are_made_portable(python: str, portable: str) -> None:
    assert portable_regex(python) == portable


def test_an_app_without_accounts_is_described_without_them() -> None:
    loaded = (
        "import framework.openapi, sys; print(*[each for each in sys.modules if 'auth' in each])"
    )
    command = [sys.executable, "-c", loaded]

    assert subprocess.run(command, capture_output=True, check=True).stdout.strip() == b""
