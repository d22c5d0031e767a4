"""Each request has a name that nobody can write a log line with."""

import re

import pytest

from framework import App, ConfigurationError, Context, Response, public
from framework.middleware.request_id import find_request_id, request_id
from framework.shared_headers import SharedHeaders

RAY = "8f2b1c0d9e7a6b5c-FRA"


def make_app(header: str = "x-request-id", *, inbound: bool = True) -> App:
    app = App()
    app.use(request_id(header, inbound=inbound))

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        return find_request_id(c) or "none"

    @app.get("/broken", guard=public)
    async def broken() -> str:
        raise ZeroDivisionError

    return app


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-request-id": "abc_DEF-9="}, "abc_DEF-9="),
        ({"x-request-id": "a" * 128}, "a" * 128),
        ({"x-request-id": "abc", "cf-ray": RAY}, "abc"),
        ({"cf-ray": RAY}, RAY),
        ({"x-request-id": "a b", "cf-ray": RAY}, RAY),
        ({"x-request-id": "a" * 129, "cf-ray": RAY}, RAY),
        ({"x-request-id": "", "cf-ray": RAY}, RAY),
        ({"x-request-id": "abc, abc", "cf-ray": RAY}, RAY),
        ({"x-request-id": "é", "cf-ray": RAY}, RAY),
        ({"x-request-id": "٣", "cf-ray": RAY}, RAY),
        ({"x-request-id": "abc\n", "cf-ray": RAY}, RAY),
    ],
)
async def test_where_the_name_comes_from(headers: dict[str, str], expected: str) -> None:
    response = await make_app().request("GET", "/", headers=headers)

    assert response.header("x-request-id") == expected
    assert response.body == expected.encode()


@pytest.mark.parametrize("sent", [None, "", "a b", "\x1b[31m", "a\r\nset-cookie: a=b", "a" * 129])
async def test_else_it_is_drawn_and_new_each_time(sent: str | None) -> None:
    app = make_app()
    headers = {} if sent is None else {"x-request-id": sent}

    names = {
        (await app.request("GET", "/", headers=headers)).header("x-request-id") for _ in range(3)
    }

    assert len(names) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", name or "") for name in names)


async def test_a_name_from_the_client_is_taken_only_where_allowed() -> None:
    headers = {"x-request-id": "abc", "cf-ray": RAY}

    response = await make_app(inbound=False).request("GET", "/", headers=headers)

    assert response.header("x-request-id") == RAY


@pytest.mark.parametrize(("path", "status"), [("/broken", 500), ("/nowhere", 404)])
async def test_errors_carry_it_too(path: str, status: int) -> None:
    response = await make_app("X-Trace").request("GET", path, headers={"x-trace": "abc"})

    assert (response.status, response.header("x-trace")) == (status, "abc")


async def test_it_replaces_one_that_the_handler_set() -> None:
    app = App()
    app.use(request_id())

    @app.get("/", guard=public)
    async def index() -> Response:
        return Response.text("").with_header("x-request-id", "of the handler")

    response = await app.request("GET", "/", headers={"x-request-id": "abc"})

    assert [value for name, value in response.headers if name == "x-request-id"] == ["abc"]


@pytest.mark.parametrize("path", ["/", "/json", "/own", "/broken", "/nowhere"])
async def test_names_that_clients_choose_take_up_nothing_that_stays(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedHeaders, "made", 0)  # tests before this one may have used it up
    app = make_app()

    @app.get("/json", guard=public)
    async def json() -> dict[str, int]:
        return {}

    @app.get("/own", guard=public)
    async def own() -> Response:
        return Response.text("").with_header("x-request-id", "of the handler")

    for _ in range(3):  # what is the same each time may be kept
        await app.request("GET", path, headers={"x-request-id": "first"})
    made = SharedHeaders.made

    for number in range(20):
        for _ in range(3):
            headers = {"x-request-id": f"{path.strip('/')}-{number}"}
            await app.request("GET", path, headers=headers)

    assert SharedHeaders.made == made


async def test_without_the_layer_there_is_none() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(c: Context) -> str:
        return str(find_request_id(c))

    assert (await app.request("GET", "/")).body == b"None"


@pytest.mark.parametrize("header", ["", "x request", "x\r\ny", "é"])
def test_what_is_no_header_name_is_refused(header: str) -> None:
    with pytest.raises(ConfigurationError, match="not a header name"):
        request_id(header)
