"""Stands in for the cffi face of the compiled Argon2. For the wasm tier alone.

In the Worker this package is a cffi module, and `cffi` comes from Pyodide's own index, which the
tests don't reach. The wheel's `_ffi.so` holds the real Argon2 all the same, so this calls it
through `ctypes` under the few names that `argon2.low_level` uses.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

_library = ctypes.CDLL(str(Path(__file__).with_name("_ffi.so")))
_library.argon2_encodedlen.restype = ctypes.c_size_t
_library.argon2_error_message.restype = ctypes.c_char_p


class _Ffi:
    """The part of a cffi `FFI` that argon2-cffi touches."""

    NULL = None

    @staticmethod
    def new(_kind: str, content: int | bytes) -> Any:
        """Return fresh C memory: so many zero bytes, or a copy of *content* and a zero byte."""
        return ctypes.create_string_buffer(content)

    @staticmethod
    def string(memory: Any) -> bytes:
        """Return the bytes before the first zero byte."""
        return memory if isinstance(memory, bytes) else bytes(memory.value)

    @staticmethod
    def buffer(memory: Any, size: int) -> bytes:
        """Return the first *size* bytes."""
        return bytes(memory.raw[:size])


class _Lib:
    """The constants and functions of `argon2.h` that argon2-cffi touches."""

    Argon2_d = 0
    Argon2_i = 1
    Argon2_id = 2
    ARGON2_OK = 0
    ARGON2_VERIFY_MISMATCH = -35
    ARGON2_VERSION_NUMBER = 0x13

    argon2_hash = _library.argon2_hash
    argon2_verify = _library.argon2_verify
    argon2_encodedlen = _library.argon2_encodedlen
    argon2_error_message = _library.argon2_error_message
    argon2_ctx = _library.argon2_ctx


ffi = _Ffi()
lib = _Lib()
