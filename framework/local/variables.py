"""Reads the variables out of `.dev.vars`, as wrangler reads them. Knows no file and no binding.

Wrangler hands the file to dotenv 16, whose two expressions these are. What dotenv leaves out without
a word is an error here.
"""

import re
from typing import Final

__all__ = ["parse_variables"]

_PAIR: Final = re.compile(
    r"""
    ^(?:\ufeff|[^\S\n])*(?:export\s+)?([A-Za-z0-9_.-]+)(?:\s*=\s*?|:\s+?)
    (\s*'(?:\\'|[^'])*'|\s*"(?:\\"|[^"])*"|\s*`(?:\\`|[^`])*`|[^\#\r\n]+)?
    \s*(?:\#.*)?$
    """,
    re.MULTILINE | re.VERBOSE,
)
_QUOTED: Final = re.compile(r"""^(['"`])([\s\S]*)\1$""", re.MULTILINE)


def parse_variables(text: str) -> dict[str, str]:
    r"""Return the pairs ``NAME=value`` and ``NAME: value`` of *text*, the last of each name.

    A value may stand in quotes, over several lines; without them it ends at a ``#``. In double quotes,
    ``\n`` is the end of a line. Raises `ValueError`, which begins with the number of the line, for one
    that is neither blank nor a comment nor part of a pair.
    """
    for number, line in enumerate(_PAIR.sub(_line_ends, text).split("\n"), 1):
        if line.strip("\ufeff \t") and not line.lstrip("\ufeff \t").startswith("#"):
            raise ValueError(f"{number}: write NAME=value, or # before what is none")
    return {name: _value(written.strip()) for name, written in _PAIR.findall(text)}


def _line_ends(pair: re.Match[str]) -> str:
    return "\n" * pair[0].count("\n")


def _value(written: str) -> str:
    value = _QUOTED.sub(r"\2", written)
    if written.startswith('"'):
        value = value.replace(r"\n", "\n").replace(r"\r", "\r")
    return value
