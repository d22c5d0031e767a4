"""Reads the columns of a table off a Struct. Knows no table and no statement."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from framework.errors import ConfigurationError

__all__ = ["Columns", "columns_of"]


class Columns(msgspec.Struct, frozen=True):
    """The fields of a Struct that are columns: their names in Python, in SQL, and their types."""

    owner: str
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[Any, ...]

    def select_list(self, table: str = "", prefix: str = "") -> str:
        """Return the columns as they stand in a SELECT: ``u.id AS u_id, …`` where *prefix* is u_."""
        dotted = f"{table}." if table else ""
        names = [f"{dotted}{name}" for name in self.columns]
        if prefix:
            names = [f"{name} AS {prefix}{name.rpartition('.')[2]}" for name in names]
        return ", ".join(names)

    def placeholders(self) -> str:
        """Return as many placeholders as there are columns: ``?1, ?2, …``."""
        return ", ".join(f"?{index}" for index in range(1, len(self.columns) + 1))

    def values(self, row: msgspec.Struct) -> tuple[Any, ...]:
        """Return what *row* holds, in the order of the columns."""
        return tuple(getattr(row, field) for field in self.fields)

    def assignments(self, attributes: Mapping[str, Any], fixed: Collection[str]) -> str:
        """Return ``a = ?2, b = ?3`` for the fields that *attributes* sets.

        Raises `TypeError` for a name that is no field, and for one of *fixed*.
        """
        columns = dict(zip(self.fields, self.columns, strict=True))
        for name in attributes:
            if name not in columns or name in fixed:
                raise TypeError(f"{name!r} is no attribute of {self.owner} that can be set")
        return ", ".join(f"{columns[name]} = ?{index}" for index, name in enumerate(attributes, 2))


def columns_of(struct: type[msgspec.Struct], *, without: Collection[str] = ()) -> Columns:
    """Return the columns that *struct* stands for, but *without* some.

    Raises `ConfigurationError` for a field whose name is no column's.
    """
    fields = [each for each in msgspec.structs.fields(struct) if each.name not in without]
    for field in fields:
        if not (field.encode_name.isascii() and field.encode_name.isidentifier()):
            raise ConfigurationError(f"{field.encode_name!r} of {struct.__name__} is no column")
    return Columns(
        struct.__name__,
        tuple(field.name for field in fields),
        tuple(field.encode_name for field in fields),
        tuple(field.type for field in fields),
    )
