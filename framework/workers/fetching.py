"""Outgoing HTTP in the Worker: JavaScript's fetch, in few crossings. Knows nothing of who asks."""

from typing import Any

import js
import msgspec
from pyodide.ffi import JsException, to_js

from framework.fetching import (
    FetchFailed,
    FetchRequest,
    FetchResponse,
    provide_fetch,
    too_large,
    too_late,
    without_coding,
)
from framework.response import Header, encode_json
from framework.workers.streams import TooLong, read_stream

__all__ = ["fetch_in_worker", "provide"]

_HEADERS = msgspec.json.Decoder(tuple[Header, ...])
_DECODED = {("content-encoding", "gzip"), ("content-encoding", "br")}
"""What workerd's fetch undoes; it asks for both where the app is deployed."""


def provide() -> None:
    """Have `framework.fetching.fetch` send its requests by JavaScript's fetch."""
    provide_fetch(fetch_in_worker, unless_provided=True)


async def fetch_in_worker(request: FetchRequest, /) -> FetchResponse:
    """Return the answer to *request*. Raises `FetchFailed`.

    The exchange is ended if anything keeps the answer from being read to its end, a cancelled
    caller included.
    """
    controller = js.AbortController.new()
    timer = js.AbortSignal.timeout(request.timeout_ms)
    options = js.JSON.parse(_options(request))
    options.signal = js.AbortSignal.any(js.Array.of(controller.signal, timer))
    if request.body:
        options.body = to_js(request.body)
    is_read = False
    try:
        answer = await js.fetch(request.url, options)
        body = await read_stream(answer.body, request.limit)
        is_read = True
        headers = _headers(answer)
        if body and not _DECODED.isdisjoint(headers):
            headers = without_coding(headers)
        return FetchResponse(answer.status, headers, body, request.host)
    except TooLong:
        raise too_large(request) from None
    except JsException as error:
        raise (too_late(request) if timer.aborted else _failed(request, error)) from None
    finally:
        if not is_read:
            controller.abort()


def _options(request: FetchRequest) -> str:
    """Return the options for fetch as JSON, which crosses at once."""
    options = {"method": request.method, "headers": request.headers, "redirect": "manual"}
    return encode_json(options).decode()


def _headers(answer: Any) -> tuple[Header, ...]:
    """Return the answer's headers; a ``set-cookie`` for each cookie."""
    entries = getattr(js.Array, "from")(answer.headers)
    return _HEADERS.decode(js.JSON.stringify(entries))


def _failed(request: FetchRequest, error: JsException) -> FetchFailed:
    message = str(error.message)
    known = error.name if "/" in message else f"{error.name}: {message}"  # it may hold the URL
    return FetchFailed(f"{request.host} does not answer: {known}")
