"""Reads the columns of a table off a Struct. Knows no table and no statement."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from framework.errors import ConfigurationError

__all__ = ["Columns", "columns_of"]


class Columns(msgspec.Struct, frozen=True):
    """The fields of a Struct that are columns."""

    owner: str
    fields: Mapping[str, FieldInfo]
    """By their names in Python. What a field is called in JSON is its column."""

    def select_list(self, table: str = "", instead: Mapping[str, str] = {}) -> str:
        """Return the columns as they stand in a SELECT: ``u.id AS u_id, …`` where *table* is u.

        What *instead* holds for a column stands in its place.
        """
        names = [instead.get(each.encode_name, each.encode_name) for each in self.fields.values()]
        if table:
            names = [f"{table}.{name} AS {table}_{name}" for name in names]
        return ", ".join(names)

    def placeholders(self) -> str:
        """Return as many placeholders as there are columns: ``?1, ?2, …``."""
        return ", ".join(f"?{index}" for index in range(1, len(self.fields) + 1))

    def values(self, row: msgspec.Struct) -> tuple[Any, ...]:
        """Return what *row* holds, in the order of the columns."""
        return tuple(getattr(row, field) for field in self.fields)

    def assignments(self, attributes: Mapping[str, Any], fixed: Collection[str]) -> str:
        """Return ``a = ?2, b = ?3`` for the fields that *attributes* sets.

        Raises `TypeError` for a name that is no field, and for one of *fixed*.
        """
        for name in attributes:
            if name not in self.fields or name in fixed:
                raise TypeError(f"{name!r} is no attribute of {self.owner} that can be set")
        columns = [self.fields[name].encode_name for name in attributes]
        return ", ".join(f"{column} = ?{index}" for index, column in enumerate(columns, 2))


def columns_of(struct: type[msgspec.Struct], *, without: Collection[str] = ()) -> Columns:
    """Return the columns that *struct* stands for, but *without* some.

    Raises `ConfigurationError` for a field whose name cannot be that of a column.
    """
    fields = {
        each.name: each for each in msgspec.structs.fields(struct) if each.name not in without
    }
    for field in fields.values():
        if not (field.encode_name.isascii() and field.encode_name.isidentifier()):
            raise ConfigurationError(
                f"{field.encode_name!r} of {struct.__name__} cannot name a column"
            )
    return Columns(struct.__name__, fields)
