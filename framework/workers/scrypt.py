"""scrypt by node:crypto, since Pyodide's hashlib has none. Knows nothing of who asks."""

from typing import Any

import msgspec
from js import JSON, Array
from pyodide.ffi import to_js
from workers import import_from_javascript

from framework.errors import ConfigurationError
from framework.scrypt import COST, LENGTH, MEMORY_LIMIT, provide_scrypt

__all__ = ["node_scrypt", "provide"]


class _Buffer(msgspec.Struct):
    """A node Buffer, as its ``toJSON`` has it."""

    data: list[int]


_BUFFERS = msgspec.json.Decoder(list[_Buffer])


def provide() -> None:
    """Have `framework.scrypt.scrypt` compute its keys by node:crypto."""
    provide_scrypt(node_scrypt)


async def node_scrypt(password: bytes, salt: bytes, block_size: int, /) -> bytes:
    """Return the scrypt key of *password* and *salt*; *block_size* is scrypt's r.

    Raises `ConfigurationError` where the Worker may not import node:crypto.
    """
    compute = _import("node:crypto").scryptSync
    options = JSON.parse(f'{{"N":{COST},"r":{block_size},"p":1,"maxmem":{MEMORY_LIMIT}}}')
    # The key is a Buffer, which Pyodide cannot take: it is put into an Array and crosses as JSON.
    keys = Array.of(0).map(compute.bind(None, to_js(password), to_js(salt), LENGTH, options))
    return bytes(_BUFFERS.decode(JSON.stringify(keys))[0].data)


def _import(name: str) -> Any:
    try:
        return import_from_javascript(name)
    except ImportError as error:
        raise ConfigurationError(
            f"{name} is missing: add nodejs_compat to compatibility_flags in wrangler.toml"
        ) from error
