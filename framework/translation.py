"""Puts what errors say into the words of another language. Knows nothing of how that is chosen.

Nothing else imports this module: an app that speaks English does not upload it.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from framework.errors import HTTPError

__all__ = ["MESSAGES", "Words", "translate"]

Words = Mapping[str, str | Callable[..., str]]
"""A language: what is said, by a code or by an English sentence with ``{}`` for what varies in it. What
is said may hold ``{}``, too, or be a function of what varies, in the order of the sentence."""

MESSAGES: tuple[str, ...] = (
    # The codes: what is said of an error that says no more, or nothing that is known here.
    "cross-site",
    "duplicate-email",
    "duplicate-key",
    "conflict",
    "content-too-large",
    "error",
    "forbidden",
    "internal-error",
    "invalid-code",
    "invalid-credentials",
    "invalid-email",
    "invalid-link",
    "invalid-request",
    "invalid-username",
    "malformed-request",
    "method-not-allowed",
    "not-found",
    "precondition-failed",
    "precondition-required",
    "reauthentication-required",
    "timed-out",
    "too-many-requests",
    "turnstile-failed",
    "unauthorized",
    "unavailable",
    "unsupported-media-type",
    "untrusted-host",
    "unusable-password",
    # What people read who sign up, sign in or lost a password.
    "A password must be text without lone surrogates.",
    "A password must have {} to {} characters.",
    "A password must not be empty.",
    "A username must be 3 to 64 ASCII letters, digits or . _ @ + -, not starting with a symbol.",
    "Another account has verified this address.",
    "Sign in again to do this.",
    "Sign in first.",
    "That key is taken.",
    "That username is taken.",
    "The address is verified already.",
    "The username or the password is wrong.",
    "There is no address to verify.",
    "There is no such key.",
    "There is no such session.",
    "There is no such user.",
    "This code is wrong or has expired. Request a new one.",
    "This is for users with the role {}.",
    "This is not a valid e-mail address.",
    "This link is no longer valid. Request a new one.",
    "This password cannot be used.",
    "This password is known from a breach: choose another.",
    "Too many attempts for this account.",
    "Too many attempts from this address.",
    "Too many codes for this account.",
    # Other refusals.
    "It has changed since: read it again.",
    "Not from this address.",
    "Please solve the challenge, and send the form again.",
    "Please try again in a moment.",
    "Say in If-Match which version you have seen.",
    "Send a valid bearer token.",
    "Send a valid key in {}.",
    "Send a valid username and password.",
    "Send the token of a session.",
    "The request comes from {}, but this site is {}.",
    "an unnamed origin (with cookies, programs have to send Origin)",
    "a malformed origin",
    "This host is not served here.",
    # A path, a query or a body that cannot be read.
    "Send the body as {}, in UTF-8.",
    "Send the body as {} or {}, in UTF-8.",
    "Send the body without a Content-Encoding.",
    "The JSON holds a number that is out of range.",
    "The JSON holds more than {} values.",
    "The JSON holds values that were chosen to have one hash.",
    "The JSON nests deeper than {} levels.",
    "The body could not be read.",
    "The body is not JSON.",
    "The body is not UTF-8.",
    "The body may have at most {} bytes.",
    "The form is malformed.",
    "The multipart body is malformed: {}.",
    "a header of a part is malformed, or there twice",
    "a part has more than {} bytes of headers",
    "a part has no headers",
    "a part has no name",
    "a part's Content-Disposition is malformed",
    "a text is not UTF-8",
    "it does not begin and end with its boundary",
    "more than {} parts",
    "The multipart body names no boundary of 1 to 70 characters, or several.",
    "The path is malformed: {}.",
    "The query is malformed: {}.",
    "a path segment holds a separator or a control character",
    "more than {} fields",
    "not percent-encoded UTF-8",
    "The request does not fit the schema.",
    "This form is not read as multipart.",
    # What one value should be: in `errors`.
    "Expected another form.",
    "Expected at least {} characters.",
    "Expected at most {} characters.",
    "Expected exactly {} characters.",
    "Expected one of {}.",
    "Expected {}.",
    "Expected {}",  # where a description ends with neither a letter nor a stop
    "Expected: {}.",
    "Expected: {}",
    "Expected {}, got {}.",
    "Expected {} < {}.",
    "Expected {} <= {}.",
    "Expected {} > {}.",
    "Expected {} >= {}.",
    "Expected {} matching regex {}.",
    "Expected {} of length {}.",
    "Expected {} of length <= {}.",
    "Expected {} of length >= {}.",
    "Expected {} that's a multiple of {}.",
    "Expected {} with a timezone component.",
    "Expected {} with no timezone component.",
    "Duration is out of range.",
    "Integer value out of range.",
    "Invalid ISO8601 duration.",
    "Invalid RFC3339 encoded date.",
    "Invalid RFC3339 encoded datetime.",
    "Invalid RFC3339 encoded time.",
    "Invalid UUID.",
    "Invalid base64 encoded string.",
    "Invalid decimal string.",
    "Invalid epoch timestamp.",
    "Not valid.",
    "Number out of range.",
    "Only these fields are known: {}.",
    "Only units 'D', 'H', 'M', and 'S' are supported when parsing ISO8601 durations.",
    "The field {} is required.",
    "This field is required.",
    "This is given more than once.",
    "This is not one of the values allowed here.",
    "This number is out of range.",
    "This parameter is required.",
    "This parameter may be given once.",
    "Timestamp is out of range.",
    # What varies in some of these.
    "array",
    "bool",
    "date",
    "datetime",
    "float",
    "int",
    "null",
    "object",
    "str",
)
"""All that the framework itself says to clients: what a whole language has words for."""


def translate(error: HTTPError, words: Words) -> HTTPError:
    """Return *error* in the words of another language, with its status, code, headers and places.

    A sentence is looked for as it stands, then by the longest sentence with ``{}`` that it fits.
    What varies is put into *words* in the same way, and else stays as it is: a number, a name. Where
    *words* has nothing for ``detail``, or there is none, it says what it has for the code. The rest
    stays English. Sentences of an app's own are translated alike, by its own words for them.
    """
    find = _finder(words)
    told = None if error.detail is None else find(error.detail)
    if told is None:
        told = find(error.code) or error.detail
    errors = [
        msgspec.structs.replace(misfit, detail=find(misfit.detail) or misfit.detail)
        for misfit in error.errors
    ]
    return HTTPError(error.status, told, code=error.code, headers=error.headers, errors=errors)


def _finder(words: Words) -> Callable[[str], str | None]:
    """Return what finds the words for a text, or None; each text once, since many misfits are alike."""
    templates = [each for each in words if "{}" in each and each != "{}"]
    templates.sort(key=len, reverse=True)

    @cache
    def find(text: str) -> str | None:
        word = words.get(text)
        if isinstance(word, str):  # as it stands: a brace in it is one
            return word
        if word is not None:
            return word()
        for template in templates:
            if found := _pattern(template).fullmatch(text):
                values = [find(value) or value for value in found.groups()]
                word = words[template]
                return word.format(*values) if isinstance(word, str) else word(*values)
        return None

    return find


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("(.+?)".join(map(re.escape, template.split("{}"))), re.DOTALL)
