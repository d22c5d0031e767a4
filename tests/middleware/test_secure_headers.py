"""Every answer is one that a browser handles with care, and none is overruled."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from framework import App, ConfigurationError, Context, Response, public
from framework.middleware.content_security_policy import NONCE, content_security_policy, nonce
from framework.middleware.secure_headers import DATA_POLICY, HTML_POLICY, secure_headers
from framework.streaming import stream

POLICY = "content-security-policy"
ALWAYS = {"referrer-policy": "same-origin", "cross-origin-resource-policy": "same-origin"}
PAGE = {**ALWAYS, "cross-origin-opener-policy": "same-origin", POLICY: HTML_POLICY}
DATA = {**ALWAYS, POLICY: DATA_POLICY}
HSTS = {"strict-transport-security": "max-age=31536000"}
NONCE_POLICY = content_security_policy(script_src=["'self'", NONCE], style_src=[NONCE])
CONTENT = {"content-type", "content-length", "x-content-type-options"}


def make_app(**options: Any) -> App:
    app = App()
    app.use(secure_headers(**options))

    @app.get("/data", guard=public)
    async def data() -> dict[str, int]:
        return {}

    @app.get("/nothing", guard=public)
    async def nothing() -> None:
        pass

    @app.get("/page", guard=public)
    async def page() -> Response:
        return Response.html("<p>")

    @app.get("/scripted", guard=public)
    async def scripted(c: Context) -> Response:
        return Response.html(f"<script nonce={nonce(c)}></script>{nonce(c)}")

    @app.get("/shouted", guard=public)
    async def shouted() -> Response:
        return Response("<p>", headers=[("content-type", "TEXT/HTML")])

    @app.get("/drawn", guard=public)
    async def drawn(c: Context) -> str:
        return nonce(c)

    @app.get("/own", guard=public)
    async def own() -> Response:
        return (
            Response.html("")
            .with_header(POLICY, "default-src *")
            .with_header("Referrer-Policy", "no-referrer")
        )

    @app.get("/unchanged", guard=public)
    async def unchanged() -> Response:
        return Response.empty(304)

    @app.get("/broken", guard=public)
    async def broken() -> str:
        raise ZeroDivisionError

    return app


def sent(response: Response) -> dict[str, str]:
    return {name: value for name, value in response.headers if name not in CONTENT}


def test_the_policies_are_these() -> None:
    assert DATA_POLICY == "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
    assert HTML_POLICY == (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
        " frame-ancestors 'none'"
    )
    assert (
        content_security_policy(default_src="'none'", frame_ancestors="'none'", base_uri="'none'")
        == DATA_POLICY
    )
    assert (
        content_security_policy(
            default_src="'self'",
            object_src="'none'",
            base_uri="'none'",
            form_action="'self'",
            frame_ancestors="'none'",
        )
        == HTML_POLICY
    )


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/data", DATA),
        ("/nothing", DATA),
        ("/page", PAGE),
        ("/shouted", PAGE),
        ("/nowhere", DATA),
        ("/broken", DATA),
        ("https://localhost/data", {**DATA, **HSTS}),
        ("https://localhost/page", {**PAGE, **HSTS}),
        ("https://localhost/nowhere", {**DATA, **HSTS}),
        ("/unchanged", {}),
        ("/own", {**PAGE, POLICY: "default-src *", "referrer-policy": "no-referrer"}),
    ],
)
async def test_what_is_sent(url: str, expected: dict[str, str]) -> None:
    response = await make_app().request("GET", url)

    assert sent(response) == expected
    assert (response.status == 304) is (url == "/unchanged")


@pytest.mark.parametrize(
    ("options", "url", "expected"),
    [
        ({"html": None}, "/page", {**ALWAYS, "cross-origin-opener-policy": "same-origin"}),
        ({"data": None}, "/data", ALWAYS),
        ({"hsts": None}, "https://localhost/data", DATA),
        ({"referrer": None, "resource": None, "opener": None}, "/page", {POLICY: HTML_POLICY}),
        ({"permissions": "camera=()"}, "/page", {**PAGE, "permissions-policy": "camera=()"}),
        ({"permissions": "camera=()"}, "/data", DATA),
        ({"resource": "cross-origin"}, "/data", {**DATA, "cross-origin-resource-policy": "cross-origin"}),
        (
            {"hsts": "max-age=31536000; includeSubDomains; preload"},
            "https://localhost/data",
            {**DATA, "strict-transport-security": "max-age=31536000; includeSubDomains; preload"},
        ),
    ],
)  # fmt: skip
async def test_what_is_asked_for_is_sent(
    options: dict[str, Any], url: str, expected: dict[str, str]
) -> None:
    assert sent(await make_app(**options).request("GET", url)) == expected


@pytest.mark.parametrize(
    ("option", "header", "values"),
    [
        (
            "referrer",
            "referrer-policy",
            "no-referrer no-referrer-when-downgrade origin origin-when-cross-origin same-origin"
            " strict-origin strict-origin-when-cross-origin unsafe-url",
        ),
        (
            "opener",
            "cross-origin-opener-policy",
            "noopener-allow-popups same-origin same-origin-allow-popups unsafe-none",
        ),
        ("resource", "cross-origin-resource-policy", "cross-origin same-origin same-site"),
    ],
)
async def test_what_browsers_understand_is_sent(option: str, header: str, values: str) -> None:
    for value in values.split():
        response = await make_app(**{option: value}).request("GET", "/page")

        assert response.header(header) == value


@pytest.mark.parametrize(
    "options",
    [
        {"html": ""},
        {"html": "default-src 'self'\r\nx: y"},
        {"data": "default-src é"},
        {"data": f"script-src {NONCE}"},
        {"hsts": "max-age"},
        {"hsts": "max-age=1; preload"},
        {"hsts": "max-age=31536000; preload"},
        {"hsts": "max-age=31535999; includeSubDomains; preload"},
        {"hsts": "max-age=31536000; preload; includeSubDomains"},
        {"referrer": "none"},
        {"opener": "same-site"},
        {"resource": "*"},
        {"permissions": "camera=()\n"},
    ],
    ids=str,
)
def test_what_no_browser_understands_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        secure_headers(**options)


async def test_a_nonce_stands_in_the_policy_and_is_new_each_time() -> None:
    app = make_app(html=NONCE_POLICY)

    answers = [await app.request("GET", "/scripted") for _ in range(2)]

    nonces = [bytes(answer.body)[-32:].decode() for answer in answers]  # type: ignore[arg-type]  # no stream
    assert nonces[0] != nonces[1]
    for drawn, answer in zip(nonces, answers, strict=True):
        policy = f"script-src 'self' 'nonce-{drawn}'; style-src 'nonce-{drawn}'"
        assert [value for name, value in answer.headers if name == POLICY] == [policy]
        assert answer.body == f"<script nonce={drawn}></script>{drawn}".encode()
        assert sent(answer).items() >= {**PAGE, POLICY: policy}.items()


@pytest.mark.parametrize(
    ("html", "path", "policy"),
    [
        (NONCE_POLICY, "/drawn", DATA_POLICY),
        (None, "/drawn", DATA_POLICY),
        (None, "/scripted", None),
    ],
    ids=["no page", "neither", "no policy"],
)
async def test_a_nonce_is_for_pages_that_have_a_policy(
    html: str | None, path: str, policy: str | None
) -> None:
    response = await make_app(html=html).request("GET", path)

    assert (response.status, response.header(POLICY)) == (200, policy)


async def test_an_answer_with_a_nonce_is_never_cached() -> None:
    response = await make_app().request("GET", "/scripted")

    assert response.header("cache-control") == "private, no-store"


async def test_a_nonce_that_nobody_asked_for_is_not_sent() -> None:
    app = make_app(html=NONCE_POLICY)

    response = await app.request("GET", "/page")

    assert response.header(POLICY) == "script-src 'self'; style-src"


@pytest.mark.parametrize(
    ("directives", "policy"),
    [
        ({"default_src": "'none'"}, "default-src 'none'"),
        ({"script_src": "'self' https://cdn.example"}, "script-src 'self' https://cdn.example"),
        ({"img_src": ["'self'", "data:", "*.example.com:8443"]}, "img-src 'self' data: *.example.com:8443"),
        ({"upgrade_insecure_requests": "", "sandbox": ()}, "upgrade-insecure-requests; sandbox"),
        ({"report_to": "default"}, "report-to default"),
        ({"report_to": "self", "trusted_types": "script"}, "report-to self; trusted-types script"),
        ({"img_src": iter(["'self'", "data:"])}, "img-src 'self' data:"),
        ({"style_src": "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"},
         "style-src 'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='"),
    ],
)  # fmt: skip
def test_a_policy_is_written_as_it_is_given(directives: dict[str, Any], policy: str) -> None:
    assert content_security_policy(**directives) == policy


@pytest.mark.parametrize(
    ("directives", "problem"),
    [
        ({}, "allows everything"),
        ({"scripts": "'self'"}, "no directive"),
        ({"script_src": "self"}, "quotes"),
        ({"script_src": "Unsafe-Inline"}, "quotes"),
        ({"script_src": ["'self'", "nonce"]}, "quotes"),
        ({"script_src": "'none' https://cdn.example"}, "stands alone"),
        ({"script_src": ["https://a;object-src", "*"]}, "end the directive"),
        ({"script_src": ["https://a,b"]}, "end the directive"),
        ({"script_src": ["a b"]}, "end the directive"),
        ({"script_src": ["a\r\nb"]}, "end the directive"),
        ({"script_src": ["https://é"]}, "end the directive"),
    ],
)
def test_a_policy_that_would_not_hold_is_refused(directives: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        content_security_policy(**directives)


async def test_a_stream_is_too_late_to_ask_for_a_nonce() -> None:
    app = App()
    app.use(secure_headers(html=content_security_policy(script_src=NONCE)))

    async def chunks(c: Context, drawn: str) -> AsyncIterator[str]:
        yield f"{drawn} {nonce(c)}"

    @app.get("/before", guard=public)
    async def before(c: Context) -> Response:
        return stream(chunks(c, nonce(c)), "text/html")

    @app.get("/late", guard=public)
    async def late(c: Context) -> Response:
        return stream(chunks(c, ""), "text/html")

    first, second = bytes((await app.request("GET", "/before")).body).decode().split()  # type: ignore[arg-type]  # no stream
    assert first == second
    with pytest.raises(TypeError, match="a nonce was asked for inside a stream"):
        await app.request("GET", "/late")


def test_every_directive_that_browsers_know_may_be_written() -> None:
    known = (
        "base-uri child-src connect-src default-src fenced-frame-src font-src form-action"
        " frame-ancestors frame-src img-src manifest-src media-src object-src report-to report-uri"
        " require-trusted-types-for sandbox script-src script-src-attr script-src-elem style-src"
        " style-src-attr style-src-elem trusted-types upgrade-insecure-requests worker-src"
    )

    policy = content_security_policy(**{name.replace("-", "_"): "" for name in known.split()})

    assert policy == known.replace(" ", "; ")


@pytest.mark.parametrize(
    "keyword",
    [
        *("none", "nonce", "report-sample", "script", "self", "strict-dynamic", "unsafe-eval"),
        *("unsafe-hashes", "unsafe-inline", "wasm-unsafe-eval"),
    ],
)
def test_a_keyword_stands_in_quotes(keyword: str) -> None:
    assert content_security_policy(script_src=f"'{keyword}'") == f"script-src '{keyword}'"
    with pytest.raises(ConfigurationError, match="with its quotes"):
        content_security_policy(script_src=keyword)
