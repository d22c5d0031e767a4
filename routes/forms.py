"""The forms that pages are made of. Each posts to the same route that programs use."""

from framework.auth.passwords import PASSWORD_MIN
from routes.html import Attribute, Markup, element

__all__ = ["button", "field", "form", "new_password_field", "sign_in_form", "sign_up_form"]

_USERNAME = r"[A-Za-z0-9][A-Za-z0-9._@+\-]{2,63}"
"""USERNAME_PATTERN as HTML has it: anchored anyway, and with every hyphen escaped."""


def form(action: str, *fields: Markup, submit: str, inline: bool = False) -> Markup:
    """Return a form that posts *fields* to *action*."""
    return element(
        "form",
        *fields,
        element("button", submit),
        method="post",
        action=action,
        class_="inline" if inline else None,
    )


def button(action: str, text: str) -> Markup:
    """Return a form that is just a button."""
    return form(action, submit=text, inline=True)


def field(
    name: str, label: str, kind: str = "text", *, hint: str = "", **attributes: Attribute
) -> Markup:
    """Return a labelled input, required unless told otherwise; *hint* says what fits."""
    described = {"name": name, "type": kind, "required": True, "title": hint or None, **attributes}
    said = element("span", label, " ", element("small", hint)) if hint else label
    return element("label", said, element("input", **described))


def new_password_field(name: str, label: str) -> Markup:
    """Return the input for a password that is chosen now."""
    return field(
        name,
        label,
        "password",
        hint=f"{PASSWORD_MIN} characters or more",
        autocomplete="new-password",
        minlength=PASSWORD_MIN,
    )


def sign_in_form() -> Markup:
    """Return the form for signing in."""
    return form(
        "/sign-in",
        field("username", "Username", autocomplete="username", maxlength=64),
        field("password", "Password", "password", autocomplete="current-password"),
        submit="Sign in",
    )


def sign_up_form() -> Markup:
    """Return the form for making an account."""
    return form(
        "/sign-up",
        field(
            "username",
            "Username",
            hint="3 to 64 letters, digits, . _ @ + -",
            autocomplete="username",
            pattern=_USERNAME,
            minlength=3,
            maxlength=64,
        ),
        new_password_field("password", "Password"),
        submit="Sign up",
    )
