"""Reads answers to requests made in this process."""

from framework import Response


def body_of(response: Response) -> bytes:
    """Return the body of *response*, which `App.request` has read to its end."""
    assert isinstance(response.body, bytes)
    return response.body
