"""Compares what the client has with what there is (RFC 9110, 13). Knows nothing of routes."""

from framework.errors import HTTPError
from framework.request import Request
from framework.response import TAG, check_tag
from framework.revalidation import not_modified

__all__ = [
    "PreconditionFailed",
    "PreconditionRequired",
    "check_if_match",
    "make_etag",
    "not_modified",
]


class PreconditionFailed(HTTPError):
    """What the client would change is no longer what it has seen."""

    status = 412
    code = "precondition-failed"


class PreconditionRequired(HTTPError):
    """A change has to say, in ``If-Match``, what the client has seen of it."""

    status = 428
    code = "precondition-required"


def make_etag(content: bytes, *, weak: bool = False) -> str:
    """Return the tag of *content*, quoted, as ``ETag`` has it: the same for the same bytes."""
    from hashlib import blake2b  # off the cold-start path

    return f'{"W/" if weak else ""}"{blake2b(content, digest_size=16).hexdigest()}"'


def check_if_match(request: Request, tag: str | None, *, required: bool = False) -> None:
    """Raise `PreconditionFailed` where ``If-Match`` is sent and does not list *tag*.

    Call it in a handler before it changes something. *tag* is the ``ETag`` that a GET would send
    now, with its quotes, or None where there is nothing yet. A weak tag never matches (RFC 9110,
    13.1.1). Raises `PreconditionRequired` where the header is *required* and not sent, and
    `ValueError` for a *tag* without quotes, which no client could send.
    """
    if tag is not None:
        check_tag(tag)
    listed = request.headers.get("if-match")
    if listed is None:
        if required:
            raise PreconditionRequired("Say in If-Match which version you have seen.")
    elif tag is None or not (listed.strip() == "*" or _lists_exactly(tag, listed)):
        raise PreconditionFailed("It has changed since: read it again.")


def _lists_exactly(tag: str, listed: str) -> bool:
    return not tag.startswith("W/") and tag in TAG.findall(listed)
