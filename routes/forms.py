"""The forms that pages are made of. Each posts to the same route that programs use."""

from collections.abc import Mapping
from typing import NamedTuple

from framework.auth.emails import EMAIL_MAX
from framework.auth.passwords import PASSWORD_MIN
from routes.html import Attribute, Markup, element

USERNAME_HINT = "3 to 64 letters, digits, . _ @ + -"
"""What fits USERNAME_PATTERN, in words."""

_USERNAME = r"[A-Za-z0-9][A-Za-z0-9._@+\-]{2,63}"
"""USERNAME_PATTERN as HTML has it: anchored anyway, and with every hyphen escaped."""


def form(action: str, *fields: Markup, submit: str, **attributes: Attribute) -> Markup:
    """Return a form that posts *fields* to *action*."""
    return element(
        "form",
        *fields,
        element("button", submit),
        method="post",
        action=action,
        **attributes,
    )


def button(action: str, text: str) -> Markup:
    """Return a form that is just a button."""
    return form(action, submit=text, class_="inline")


class Draft(NamedTuple):
    """What fields hold, and what is wrong with them, by their names."""

    texts: Mapping[str, str] = {}
    flaws: Mapping[str, str] = {}


BLANK = Draft()


def field(
    name: str,
    label: str,
    kind: str = "text",
    *,
    hint: str = "",
    draft: Draft = BLANK,
    **attributes: Attribute,
) -> Markup:
    """Return a labelled field, required unless told otherwise; *hint* says what fits.

    *draft* fills it in: no password gets one.
    """
    text, flaw = draft.texts.get(name), draft.flaws.get(name)
    described: dict[str, Attribute] = {"name": name, "title": hint or None, **attributes}
    if flaw:
        described |= {"aria_invalid": "true", "autofocus": name == next(iter(draft.flaws))}
    if kind == "textarea":
        entry = element(kind, "\n", text, **described)
    else:
        described = {"type": kind, "required": True, "value": text, **described}
        entry = element("input", **described)
    said = element("span", label, " ", element("small", hint)) if hint else label
    told = element("strong", flaw, class_="error") if flaw else None
    return element("label", said, told, entry)


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


def sign_in_form(draft: Draft = BLANK, action: str = "/sign-in", **attributes: Attribute) -> Markup:
    """Return the form for signing in, and the way to a new password."""
    signing_in = form(
        action,
        field("username", "Username", autocomplete="username", maxlength=64, draft=draft),
        field("password", "Password", "password", autocomplete="current-password"),
        submit="Sign in",
        **attributes,
    )
    forgot = element("p", element("a", "Forgot the password?", href="/password-reset"))
    return Markup(signing_in + forgot)


def sign_up_form(draft: Draft = BLANK, action: str = "/sign-up") -> Markup:
    """Return the form for making an account."""
    return form(
        action,
        field(
            "username",
            "Username",
            hint=USERNAME_HINT,
            autocomplete="username",
            pattern=_USERNAME,
            minlength=3,
            maxlength=64,
            draft=draft,
        ),
        new_password_field("password", "Password"),
        _email_field("if you like: a lost password needs it", draft),
        submit="Sign up",
    )


def reset_form() -> Markup:
    """Return the form that asks for a link to choose a new password."""
    return form(
        "/password-reset",
        field("account", "Username or e-mail address", autocomplete="username", maxlength=256),
        submit="Send the link",
    )


def new_password_form(action: str) -> Markup:
    """Return the form that takes a new password and nothing else."""
    return form(action, new_password_field("password", "New password"), submit="Save the password")


def email_form(draft: Draft = BLANK, action: str = "/me/email") -> Markup:
    """Return the form for one's address."""
    is_known = "email" in draft.texts
    entry = _email_field("empty for none" if is_known else "", draft, required=not is_known)
    return form(action, entry, submit="Save the address")


def note_form(draft: Draft = BLANK, action: str = "/notes") -> Markup:
    """Return the form for the note at *action*, or for a new one."""
    return form(
        action,
        field("title", "Title", maxlength=200, draft=draft),
        field("body", "Text", "textarea", rows=4, draft=draft),
        submit="Add the note" if action == "/notes" else "Save",
    )


def code_form() -> Markup:
    """Return the form for the code that was mailed."""
    return form(
        "/me/email/verify",
        field(
            "code",
            "Code from the mail",
            hint="8 digits",
            autocomplete="one-time-code",
            inputmode="numeric",
            pattern="[0-9]{8}",
            maxlength=8,
        ),
        submit="Verify the address",
    )


def username_for_managers(username: str) -> Markup:
    """Return a field that nobody sees and no form sends: password managers look for the name."""
    shown = element("input", autocomplete="username", value=username, readonly=True)
    return element("label", "Username", shown, hidden=True)


def _email_field(hint: str, draft: Draft, *, required: bool = False) -> Markup:
    return field(
        "email",
        "E-mail address",
        "email",
        hint=hint,
        draft=draft,
        required=required,
        autocomplete="email",
        maxlength=EMAIL_MAX,
    )
