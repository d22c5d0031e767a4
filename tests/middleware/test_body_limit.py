"""A body is as long as the innermost limit allows, whatever its length says."""

from typing import Any

import pytest

from framework import App, ConfigurationError, Context, Router, public
from framework.middleware.body_limit import body_limit
from framework.testing import json_of


def make_app() -> App:
    app = App(body_limit=8)
    small, large, smallest = Router("/small"), Router("/large"), Router("/smallest")
    small.use(body_limit(4))
    large.use(body_limit(16))
    smallest.use(body_limit(0))
    large.mount(smallest)
    for router in (app, small, large, smallest):

        @router.post("/body", guard=public)
        async def read(c: Context) -> str:
            return str(len(await c.request.bytes()))

    app.mount(small)
    app.mount(large)
    return app


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/body", 8, 200),
        ("/body", 9, 413),
        ("/small/body", 4, 200),
        ("/small/body", 5, 413),
        ("/large/body", 16, 200),
        ("/large/body", 17, 413),
        ("/large/smallest/body", 0, 200),
        ("/large/smallest/body", 1, 413),
    ],
)
@pytest.mark.parametrize("says", [True, False], ids=["length said", "length not said"])
async def test_the_innermost_limit_counts(path: str, length: int, status: int, says: bool) -> None:
    headers = {"content-length": str(length)} if says else {}

    response = await make_app().request("POST", path, body=b"x" * length, headers=headers)

    assert response.status == status
    if status == 413:
        told = json_of(response)
        assert told["code"] == "content-too-large"
        assert told["detail"].startswith("The body may have at most ")


@pytest.mark.parametrize("limit", [-1, 1.5, True, "1", 100 * 1024 * 1024 + 1, None])
def test_what_is_no_number_of_bytes_is_refused(limit: Any) -> None:
    with pytest.raises(ConfigurationError, match="bytes"):
        body_limit(limit)
