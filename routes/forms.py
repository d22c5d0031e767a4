"""The forms that pages are made of. Each posts to the same route that programs use."""

from framework.auth.emails import EMAIL_MAX
from framework.auth.passwords import PASSWORD_MIN
from routes.html import Attribute, Markup, element

USERNAME_HINT = "3 to 64 letters, digits, . _ @ + -"
"""What fits USERNAME_PATTERN, in words."""

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
            hint=USERNAME_HINT,
            autocomplete="username",
            pattern=_USERNAME,
            minlength=3,
            maxlength=64,
        ),
        new_password_field("password", "Password"),
        _email_field("if you like: a lost password needs it", required=False),
        submit="Sign up",
    )


def reset_link() -> Markup:
    """Return the way to a new password, for who lost theirs."""
    return element("p", element("a", "Forgot the password?", href="/password-reset"))


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


def email_form(email: str | None) -> Markup:
    """Return the form for one's address, filled in with *email* where there is one."""
    hint = "empty for none" if email else ""
    return form(
        "/me/email",
        _email_field(hint, required=not email, value=email),
        submit="Save the address",
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
    described: dict[str, Attribute] = {"type": "text", "autocomplete": "username"}
    shown = element("input", **described, value=username, readonly=True)
    return element("label", "Username", shown, hidden=True)


def _email_field(hint: str, **attributes: Attribute) -> Markup:
    described = {"autocomplete": "email", "maxlength": EMAIL_MAX, **attributes}
    return field("email", "E-mail address", "email", hint=hint, **described)
