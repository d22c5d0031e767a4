"""The forms that pages are made of. Each posts to the same route that programs use."""

from routes.html import Attribute, Markup, element

__all__ = ["button", "field", "form", "sign_in_form", "sign_up_form"]


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


def field(name: str, label: str, kind: str = "text", **attributes: Attribute) -> Markup:
    """Return a labelled input, required unless told otherwise."""
    described = {"name": name, "type": kind, "required": True, **attributes}
    return element("label", label, element("input", **described))


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
        field("username", "Username", autocomplete="username", minlength=3, maxlength=64),
        field(
            "password",
            "Password, 8 characters or more",
            "password",
            autocomplete="new-password",
            minlength=8,
        ),
        submit="Sign up",
    )
