"""What a Worker gets of KV, R2, queues and others, by way of the SDK's env as workerd hands it over."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from framework.bindings import Bindings, read_bindings

__all__ = ["BINDING_CASES"]


def bindings_of(env: Any) -> Any:
    """Return what a handler has as ``c.env`` in the Worker."""
    from workers.rpc import _EnvWrapper  # only in the Worker's runtime

    from framework.workers.env import WorkerEnv

    return WorkerEnv(_EnvWrapper(env))


async def test_a_key_that_kv_has_not_is_none(env: Any) -> None:
    for cache in (bindings_of(env)["CACHE"], bindings_of(env)["CACHE"]):  # known from then on
        assert await cache.get("absent") is None
        assert await cache.get("absent", "json") is None


async def test_kv_takes_and_gives_text_bytes_and_json(env: Any) -> None:
    cache = bindings_of(env)["CACHE"]

    await cache.put("text", "é", expirationTtl=60)
    await cache.put("bytes", b"\x00\xff")
    await cache.put("json", '{"a": [1, null]}')

    assert await cache.get("text") == "é"
    assert bytes(await cache.get("bytes", "arrayBuffer")) == b"\x00\xff"
    assert await cache.get("json", type="json") == {"a": [1, None]}
    await cache.delete("text")
    assert await cache.get("text") is None


async def test_a_key_that_r2_has_not_is_none(env: Any) -> None:
    files = bindings_of(env)["FILES"]

    assert await files.get("absent") is None
    assert await files.head("absent") is None


async def test_r2_takes_and_gives_text(env: Any) -> None:
    files = bindings_of(env)["FILES"]

    await files.put("a", "text", httpMetadata={"contentType": "text/plain"})

    assert await (await files.get("a")).text() == "text"


async def test_r2_takes_bytes_and_gives_a_buffer_that_becomes_bytes(env: Any) -> None:
    files = bindings_of(env)["FILES"]

    await files.put("b", b"\x00\xff", httpMetadata={"contentType": "image/png"})
    found = await files.get("b")

    assert found.size == 2
    assert found.httpMetadata.contentType == "image/png"
    assert bytes(await found.arrayBuffer()) == b"\x00\xff"
    await files.delete("b")
    assert await files.get("b") is None


async def test_a_queue_takes_what_json_takes(env: Any) -> None:
    mails = bindings_of(env)["MAILS"]

    for body in ({"to": "ada", "tags": [1, None]}, "text", 5, None):
        await mails.send(body, contentType="json", delaySeconds=1)
    await mails.sendBatch([{"body": {"to": "ada"}}])


async def test_a_queue_takes_what_the_local_one_takes_and_no_tuple(env: Any) -> None:
    mails = bindings_of(env)["MAILS"]

    await mails.send("text", {"contentType": "text"})
    await mails.send(b"bytes", contentType="bytes")
    await mails.send([1, {"a": 2**53 - 2}], contentType="json")
    problems: list[str] = []
    bodies: list[Any] = [("a", 1), {"a": [(1,)]}]
    for body in bodies:
        try:
            await mails.send(body)
        except TypeError as error:
            problems.append(str(error))
    assert ["cannot be sent" in problem for problem in problems] == [True, True]


async def test_what_is_ours_is_handed_out_as_before(env: Any) -> None:
    bindings = bindings_of(env)

    assert type(bindings["DB"]).__name__ == "D1Database"
    assert type(bindings["LIMITER"]).__name__ == "WorkersRateLimiter"
    assert type(bindings["SERVICE"]).__name__ == "WorkersService"
    assert bindings["TEXT"] == "text"


async def test_a_rate_limiter_is_handed_out_as_one(env: Any) -> None:
    limiter = bindings_of(env)["LIMITER"]

    outcomes = [await limiter.allows(key) for key in ("a", "a", "a", "b", "é\0")]

    assert outcomes == [True, True, False, True, True]


async def test_a_service_is_no_database(env: Any) -> None:
    bindings = bindings_of(env)

    for _ in range(2):  # known from then on
        answer = await bindings["SERVICE"].fetch("https://service.test/a")
        assert await answer.text() == "fetched /a"
    assert await bindings["SERVICE"].prepare("b") == "prepared b"
    assert await bindings["SERVICE"].send(to="ada") == "sent to ada"
    assert await bindings["DB"].first(dict, "SELECT 1 AS a") == {"a": 1}


async def test_a_variable_that_is_an_object_is_one_whatever_its_names(env: Any) -> None:
    for bindings in (bindings_of(env), bindings_of(env)):  # known from then on
        assert bindings["SETTING"] == {"limit": 5, "fetch": "a", "prepare": [1]}
        assert bindings["LIST"] == ["a", {"b": None}]


async def test_a_variable_of_a_type_that_has_a_name_is_read_as_that_type(env: Any) -> None:
    names: dict[str, Any] = {}
    exec("type Port = int\ntype Names = list[str]", names)  # a keyword that CPython 3.11 lacks
    fields = [("port", names["Port"]), ("names", names["Names"])]
    settings: Any = msgspec.defstruct("Settings", fields, bases=(Bindings,))

    read = read_bindings(settings, {"port": "80", "names": '["a"]'})

    assert (read.port, read.names) == (80, ["a"])


async def test_an_env_is_asked_as_a_dict_is(env: Any) -> None:
    bindings = bindings_of(env)

    assert "DB" in bindings
    assert "ABSENT" not in bindings
    assert (bindings.get("TEXT"), bindings.get("ABSENT")) == ("text", None)
    assert bindings.get("ABSENT", "none") == "none"


async def test_a_variable_that_is_null_is_none_at_all(env: Any) -> None:
    settings: Any = msgspec.defstruct("Settings", [("NULL", int, 3)], bases=(Bindings,))
    bindings = bindings_of(env)

    assert read_bindings(settings, bindings).NULL == 3
    assert "NULL" not in bindings
    assert bindings.get("NULL", "none") == "none"


BINDING_CASES: dict[str, Callable[[Any], Awaitable[None]]] = {
    case.__name__: case
    for case in (
        test_a_key_that_kv_has_not_is_none,
        test_kv_takes_and_gives_text_bytes_and_json,
        test_a_key_that_r2_has_not_is_none,
        test_r2_takes_and_gives_text,
        test_r2_takes_bytes_and_gives_a_buffer_that_becomes_bytes,
        test_a_queue_takes_what_json_takes,
        test_a_queue_takes_what_the_local_one_takes_and_no_tuple,
        test_what_is_ours_is_handed_out_as_before,
        test_a_rate_limiter_is_handed_out_as_one,
        test_a_service_is_no_database,
        test_a_variable_that_is_an_object_is_one_whatever_its_names,
        test_a_variable_of_a_type_that_has_a_name_is_read_as_that_type,
        test_an_env_is_asked_as_a_dict_is,
        test_a_variable_that_is_null_is_none_at_all,
    )
}
