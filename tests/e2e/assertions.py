"""What tests claim about answers, each in one word."""

import re
from typing import Any, Final

from framework.response import Response
from framework.testing import json_of

__all__ = ["cookies_of", "is_problem", "misfits_of", "plain_headers", "text_of"]

_VARYING: Final = {"date", "set-cookie", "connection", "keep-alive", "transfer-encoding"}


def is_problem(response: Response, status: int, code: str) -> bool:
    """Return whether *response* is an RFC 9457 problem with that status and code."""
    assert response.status == status, response.body
    assert response.header("content-type") == "application/problem+json"
    problem = json_of(response)
    assert problem.keys() <= {"type", "title", "status", "code", "detail", "instance", "errors"}
    assert (problem["status"], problem["code"]) == (status, code)
    return True


def misfits_of(response: Response) -> set[str]:
    """Return where a 422 says that something does not fit: JSON pointers and parameters."""
    assert is_problem(response, 422, "invalid-request")
    errors: list[dict[str, Any]] = json_of(response)["errors"]
    assert all(error["detail"] for error in errors)
    return {error["pointer"] if "pointer" in error else error["parameter"] for error in errors}


def text_of(response: Response) -> str:
    """Return the body as text."""
    assert isinstance(response.body, bytes)
    return response.body.decode()


def cookies_of(response: Response) -> list[str]:
    """Return the Set-Cookie headers but the device cookie's, token and age left out of each."""
    values = [value for name, value in response.headers if name == "set-cookie"]
    values = [value for value in values if not value.partition("=")[0].endswith("auth_device")]
    without_tokens = [re.sub(r"=[a-z0-9]{40};", "=TOKEN;", value) for value in values]
    return [re.sub(r"Max-Age=[1-9][0-9]*", "Max-Age=AGE", value) for value in without_tokens]


def plain_headers(response: Response) -> list[tuple[str, str]]:
    """Return the headers but those that differ from answer to answer."""
    return sorted(pair for pair in response.headers if pair[0] not in _VARYING)
