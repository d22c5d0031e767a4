"""Makes, finds, changes and deletes users. Knows no request and no session."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from framework.auth.codes import forget_code
from framework.auth.errors import DuplicateKey, UnknownUser
from framework.auth.keys import Keys
from framework.auth.links import forget_links, replace_address
from framework.auth.models import NewKey, User
from framework.auth.settings import Settings
from framework.auth.storage import Storage
from framework.auth.store_users import StoredKey
from framework.auth.tokens import new_user_id
from framework.database import Database, DatabaseError, Statement, UniqueViolation

__all__ = ["Users", "new_user", "tell_of_columns", "tell_of_name"]

U = TypeVar("U", bound=User)

_KEY_TABLE = "user_key"

_USERNAME: Final = "username"
"""The provider whose names are usernames, and the field that keeps one as it was typed."""


class Users(Generic[U]):
    """All users: ``auth.users``. Each method takes the database to look in."""

    def __init__(self, store: Storage[U], settings: Settings, keys: Keys[U]) -> None:
        self._store = store
        self._user_type: type[U] = settings.user
        self._keys = keys
        self._has_mailer = settings.mailer is not None  # else there may be no codes and no links

    async def create(self, db: Database, key: NewKey | None, /, **attributes: Any) -> U:
        """Make a user with *key*, or with none as yet, and return them: one batch.

        *attributes* are fields of the user Struct. The ``id`` is drawn unless it is among them. A
        field ``username`` gets the name of a *key* at the provider ``username``, as it was typed,
        unless *attributes* name another. No value is held against the type of its field, as in
        `update`. Raises `DuplicateKey` where the key is taken,
        `UniqueViolation` where the value of another unique column is, `PasswordError`,
        `InvalidUsername` and `ValueError` as `Keys.create` does, and `TypeError` for an attribute
        that is missing or unknown.
        """
        id = attributes.pop("id", new_user_id())
        user = new_user(self._user_type, id, key, attributes)
        statements = [self._store.insert_user(user)]
        if key is not None:
            made = await self._keys.make(user.id, key.provider, key.provider_user_id, key.password)
            statements.append(self._store.insert_key(made))
        try:
            await db.batch(statements)
        except UniqueViolation as error:
            if error.table == _KEY_TABLE:
                raise DuplicateKey("That key is taken.") from error
            raise
        except DatabaseError as error:
            tell_of_columns(error, self._user_type)
            raise
        return user

    async def get(self, db: Database, user_id: str) -> U:
        """Return the user *user_id*. Raises `UnknownUser`."""
        return await self.update(db, user_id)

    async def update(self, db: Database, user_id: str, /, **attributes: Any) -> U:
        """Set *attributes* of a user and return them as they are now: one batch.

        Where `Auth` has a mailer, another ``email`` is not verified, unless *attributes* hold
        ``email_verified_at`` as well, and codes and links that went to the old one are worth
        nothing. It is stored as it is given: hand in what `normalize_email` returns. Where this changes
        what they may do, end or rotate their sessions: `Sessions.end_all`, `Auth.rotate_session`. No
        value is held against the type of its field: of one that does not fit, such as a Literal, the
        user reads 503 until it is mended. Raises `UnknownUser`, `UniqueViolation` where the value of a
        unique column is taken, such as a verified ``email``, and `TypeError` for ``id`` and for what is
        not an attribute.
        """
        first: list[Statement] = []
        for field in msgspec.structs.fields(self._user_type) if self._has_mailer else ():
            if field.encode_name == "email" and field.name in attributes:
                first = replace_address(user_id, attributes[field.name])
        *_, found = await db.batch([*first, self._store.update_user(user_id, attributes)])
        updated = self._store.read_user(found)
        if updated is None:
            raise UnknownUser
        return updated

    async def delete(self, db: Database, user_id: str, first: Sequence[Statement] = ()) -> bool:
        """Delete a user with all that `Auth` keeps of them: one batch. Return whether there was one.

        *first* are the app's own statements for what belongs to the user; they run before.
        """
        results = await db.batch(self.deletion(user_id, first))
        return results[-1].changes > 0

    def deletion(self, user_id: str, first: Sequence[Statement] = ()) -> list[Statement]:
        """Return the statements that `delete` runs, for a batch; the last changes a row if there
        was a user.
        """
        also = [forget_code(user_id), forget_links(user_id)] if self._has_mailer else []
        return [*first, *also, *self._store.delete_user(user_id)]


def new_user(user_type: type[U], id: str, key: NewKey | None, attributes: Mapping[str, Any]) -> U:
    """Return a user who is to sign in with *key*; nothing is written.

    A field ``username`` that *attributes* leave out is that of the key. Raises `TypeError`, which
    names it, for an attribute that is missing, and for what is none.
    """
    fields = {each.name: each for each in msgspec.structs.fields(user_type)}
    for name in attributes:
        if name not in fields or name == "id":
            raise TypeError(f"{name!r} is no attribute of {user_type.__name__} that can be set")
    values = {"id": id, **attributes}
    if key is not None and key.provider == _USERNAME and _USERNAME in fields:
        values.setdefault(_USERNAME, key.provider_user_id)
    missing = [name for name, field in fields.items() if field.required and name not in values]
    if missing:
        raise TypeError(
            f"a new {user_type.__name__} needs {', '.join(missing)}:"
            " pass each by name, or give it a default"
        )
    return user_type(**values)


def tell_of_columns(error: DatabaseError, user_type: type[User]) -> None:
    """Say in *error* what to write, where the table ``user`` has other columns than the Struct."""
    if any(words in error.message for words in _OTHER_COLUMNS):
        error.message += (
            f". The columns of the table user are the fields of {user_type.__name__}, and the Struct"
            " is named by Auth(user=...): one that cannot be empty needs a field"
        )


_OTHER_COLUMNS: Final = ("NOT NULL constraint failed: user.", "table user has no column named ")


async def tell_of_name(error: UniqueViolation, db: Database, find_key: Statement) -> None:
    """Raise `DuplicateKey` where *error* says that the name of who signs up is taken.

    An index over an expression names no column: then *find_key* says whether it was the name.
    """
    is_taken = error.columns in _NAME_COLUMNS
    if not error.columns:
        [found] = await db.batch([find_key])
        is_taken = found.first(StoredKey) is not None
    if is_taken:
        raise DuplicateKey from error


_NAME_COLUMNS: Final = {("id",), ("username",)}
"""The key's id; or the user's own column, where the app makes that unique as well."""
