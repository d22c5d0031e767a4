"""Stands in for a binding that only the Worker has. Knows nothing of what it would do there."""

from typing import Any, NoReturn

from framework.errors import ConfigurationError

__all__ = ["UnavailableBinding"]


class UnavailableBinding:
    """The binding *name*, which stands under *table* in ``wrangler.toml``, and is not here.

    Whatever it is used for raises `ConfigurationError` with *reason*. The repr shows what it is.
    """

    __slots__ = ("_name", "_reason", "_table")

    def __init__(self, name: str, table: str, reason: str) -> None:
        self._name = name
        self._table = table
        self._reason = reason

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python asks of anything
            raise AttributeError(name)
        self._refuse()

    def __getitem__(self, _: object) -> Any:
        self._refuse()

    def __call__(self, *_: object, **__: object) -> Any:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ConfigurationError(self._reason)

    def __repr__(self) -> str:
        return f"<{self._name} of {self._table}, which the local server does not have>"
