"""The tree of errors: closed, with Lucia's codes, and silent about who exists."""

import pytest

from framework.auth import errors
from framework.auth.errors import AuthError, InvalidCredentials
from framework.errors import CrossSite

TREE = {
    "AuthError": (500, "internal-error", ()),
    "DuplicateEmail": (409, "duplicate-email", ()),
    "DuplicateKey": (409, "duplicate-key", ("AUTH_DUPLICATE_KEY_ID",)),
    "InvalidCode": (422, "invalid-code", ()),
    "InvalidCredentials": (
        401,
        "invalid-credentials",
        ("AUTH_INVALID_KEY_ID", "AUTH_INVALID_PASSWORD", "AUTH_OUTDATED_PASSWORD"),
    ),
    "InvalidEmail": (422, "invalid-email", ()),
    "InvalidKey": (401, "invalid-credentials", ("AUTH_INVALID_KEY_ID",)),
    "InvalidLink": (404, "invalid-link", ()),
    "InvalidPassword": (401, "invalid-credentials", ("AUTH_INVALID_PASSWORD",)),
    "InvalidSession": (401, "unauthorized", ("AUTH_INVALID_SESSION_ID",)),
    "InvalidUsername": (422, "invalid-username", ()),
    "OutdatedPassword": (401, "invalid-credentials", ("AUTH_OUTDATED_PASSWORD",)),
    "PasswordError": (422, "unusable-password", ()),
    "ReauthenticationRequired": (403, "reauthentication-required", ()),
    "TooManyAttempts": (429, "too-many-requests", ()),
    "UnknownKey": (404, "not-found", ("AUTH_INVALID_KEY_ID",)),
    "UnknownSession": (404, "not-found", ("AUTH_INVALID_SESSION_ID",)),
    "UnknownUser": (404, "not-found", ("AUTH_INVALID_USER_ID",)),
}

# Source: Lucia v2's LuciaErrorConstructor, without the three that nothing there throws.
LUCIAS = {
    "AUTH_INVALID_SESSION_ID",
    "AUTH_INVALID_USER_ID",
    "AUTH_INVALID_KEY_ID",
    "AUTH_INVALID_PASSWORD",
    "AUTH_DUPLICATE_KEY_ID",
    "AUTH_OUTDATED_PASSWORD",
    "AUTH_INVALID_REQUEST",
}


def below(kind: type[AuthError]) -> set[type[AuthError]]:
    return {kind}.union(*[below(each) for each in kind.__subclasses__()])


def test_the_tree_is_closed() -> None:
    own = [each for each in below(AuthError) if each.__module__ == errors.__name__]

    assert {each.__name__: (each.status, each.code, each.lucia) for each in own} == TREE
    assert {*TREE} == {*errors.__all__}


def test_every_code_of_lucias_has_an_error() -> None:
    codes = {code for _, _, lucia in TREE.values() for code in lucia}

    assert codes | {*CrossSite.lucia} == LUCIAS


@pytest.mark.parametrize("kind", sorted(below(InvalidCredentials), key=str))
def test_a_client_cannot_tell_what_was_wrong(kind: type[AuthError]) -> None:
    error, plain = kind(), InvalidCredentials()

    assert (error.status, error.code, error.detail, error.headers, error.errors) == (
        plain.status,
        plain.code,
        plain.detail,
        plain.headers,
        plain.errors,
    )
