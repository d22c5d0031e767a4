"""Says how the tag of a version is written (RFC 9110, 8.8.3). Knows no request and no answer."""

import re

__all__ = ["TAG", "check_tag"]

TAG = re.compile(r'(?:W/)?"[^\x00-\x20"\x7f]*"')  # what is left out, not what is in: built sooner
"""Matches a tag, weak or strong, with its quotes."""


def check_tag(tag: object) -> None:
    """Raise `ValueError` for a *tag* that no client would ever be found to have."""
    if not (isinstance(tag, str) and TAG.fullmatch(tag)):
        raise ValueError(f"a tag has quotes around it and no space, as in '\"1\"': not {tag!r}")
