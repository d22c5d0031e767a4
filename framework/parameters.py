"""How one parameter of a handler gets its value from a request. Knows nothing of whole handlers."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar, get_args

import msgspec

from framework.body import form_decoder, json_decoder, takes_files
from framework.context import Context
from framework.errors import (
    ConfigurationError,
    Invalid,
    InvalidField,
    NotFound,
    UnsupportedMediaType,
)
from framework.exact_numbers import SAFE_INTEGER, all_parts, flaw_of, wants_zone
from framework.multipart import MULTIPART_TYPE, File, type_parameters
from framework.text_types import (
    class_of,
    is_struct,
    is_union,
    notes_of,
    speller_of,
    takes_integers,
    takes_several,
    without_notes,
)
from framework.validation import safe_message

__all__ = [
    "MISSING",
    "Alias",
    "BodyReader",
    "Cookie",
    "Depends",
    "Form",
    "Header",
    "Marker",
    "Parameter",
    "Query",
    "Reader",
    "body_reader",
    "fields_reader",
    "is_body",
    "is_form_field",
    "marker_of",
    "name_of",
    "path_reader",
    "provider_of",
    "value_reader",
]

T = TypeVar("T")
Reader = Callable[[Context], Any]
BodyReader = Callable[[Context], Awaitable[Any]]

MISSING: Any = object()
"""Stands for "no default": the parameter is required."""

JSON_TYPE = "application/json"
FORM_TYPE = "application/x-www-form-urlencoded"

_ITEM = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+"?)++', re.DOTALL)  # it never goes back

_TYPE_LIMIT = 256
"""Characters of a Content-Type: a boundary has at most 70."""


class Marker(msgspec.Struct, frozen=True):
    """Says which part of the request a parameter is read from."""

    source: str


class Alias(msgspec.Struct, frozen=True):
    """Says what clients call a parameter, where that cannot be its name in Python.

    ``since: Annotated[Query[str], Alias("from")]``, also for headers, cookies and fields of a form.
    ``team: Annotated[UUID, Alias("team_id")]`` is the path's ``:team_id``, for a guard that is told
    that name.
    """

    text: str


class Depends(msgspec.Struct, frozen=True):
    """Says which function a parameter's value comes from, asked once a request.

    ``Annotated[Page, Depends(read_page)]``. The function, plain or async, takes what a handler
    takes except a body: the context, parameters, slots, bindings, and what other providers return.
    """

    provider: Callable[..., Any]

    def __repr__(self) -> str:
        return f"Depends({getattr(self.provider, '__name__', self.provider)})"


Query = Annotated[T, Marker("query")]
"""``limit: Query[int] = 20``: a field of the query; a list type takes all its values."""
Header = Annotated[T, Marker("header")]
"""``user_agent: Header[str]``: a header; underscores stand for hyphens; a list type takes the items
that it lists."""
Cookie = Annotated[T, Marker("cookie")]
"""``theme: Cookie[str] = "light"``: a cookie, as it came."""
Form = Annotated[T, Marker("form")]
"""``credentials: Form[Credentials]``: an urlencoded body; ``Form[X] | X`` takes JSON as well.

``name: Form[str], photo: Form[File]``: single fields of one form, each by its parameter's name.
"""


class Parameter(msgspec.Struct, frozen=True):
    """What a handler declares of one parameter."""

    name: str
    source: str
    """Where it comes from: path, query, header, cookie, form or body."""
    type: Any
    default: Any = MISSING
    media_types: dict[str, Any] = {}
    """What a body is, by how it is sent."""
    alias: str | None = None
    """What clients call it, where that is not a name in Python."""

    @property
    def sent_name(self) -> str:
        """What clients call it."""
        if self.alias is not None:
            return self.alias
        return self.name.replace("_", "-") if self.source == "header" else self.name


def marker_of(annotation: Any) -> tuple[str, Any]:
    """Return the source that *annotation* is marked with, or "", and the type without them."""
    inner, notes = without_notes(annotation), notes_of(annotation)
    source = next((note.source for note in notes if isinstance(note, Marker)), "")
    rest = tuple(note for note in notes if not isinstance(note, Marker | Alias))
    return source, Annotated[(inner, *rest)] if rest else inner


def name_of(annotation: Any) -> str | None:
    """Return what clients call a parameter by its `Alias`. Raises `ConfigurationError` for two or none."""
    name = _only_note(annotation, Alias, "has to have one name")
    if name is not None and not name.text:
        raise ConfigurationError(f"{annotation!r} has to have one name")
    return None if name is None else name.text


def provider_of(annotation: Any) -> Callable[..., Any] | None:
    """Return the provider that *annotation* names, or None. Raises `ConfigurationError` for two."""
    named = _only_note(annotation, Depends, "names two providers")
    return None if named is None else named.provider


def _only_note(annotation: Any, kind: type[T], problem: str) -> T | None:
    """Return the note of *kind* in ``Annotated[...]``, or None. Raises *problem* for several."""
    notes = [note for note in notes_of(annotation) if isinstance(note, kind)]
    if len(notes) > 1:
        raise ConfigurationError(f"{annotation!r} {problem}")
    return notes[0] if notes else None


def path_reader(name: str, annotation: Any, default: Any = MISSING) -> Reader:
    """Return a reader of the path's *name* as *annotation*: a value that does not fit is 404.

    *default* is what an optional parameter is when the path leaves it out.
    """
    if annotation is str and default is MISSING:
        return lambda c: c.params[name]
    if annotation is int and default is MISSING:
        return _integer_reader(name)
    is_integer = takes_integers(annotation)
    zoned = wants_zone(all_parts(annotation))

    def read(c: Context) -> Any:
        text = c.params.get(name)
        if text is None:
            return default
        try:
            value = msgspec.convert(text, annotation, strict=False)
        except ValueError:
            raise NotFound from None
        if flaw_of(value, zoned=zoned) or (is_integer and str(value) != text):
            raise NotFound
        return value

    return read


def _integer_reader(name: str) -> Reader:
    """Return a reader of the path's *name* as an integer, which has one spelling."""

    def read(c: Context) -> int:
        text = c.params[name]
        try:
            value = int(text)
        except ValueError:
            raise NotFound from None
        if str(value) != text or not -SAFE_INTEGER <= value <= SAFE_INTEGER:
            raise NotFound
        return value

    return read


def value_reader(parameter: Parameter) -> Reader:
    """Return a reader of a query field, header or cookie. It raises `Invalid` for a misfit."""
    takes_list = takes_several(parameter.type)
    find = _finder(parameter.source, parameter.sent_name, takes_list)
    spell = speller_of(parameter.type)
    zoned = wants_zone(all_parts(parameter.type))
    default = parameter.default
    is_changeable = isinstance(default, list | set)
    place = f"{parameter.source}:{parameter.sent_name}"

    def read(c: Context) -> Any:
        values = find(c)
        if not values:
            if default is MISSING:
                raise _misfit("This parameter is required.", place)
            return default.copy() if is_changeable else default  # each request its own
        if not takes_list and len(values) > 1:
            raise _misfit("This parameter may be given once.", place)
        if spell is not None:
            values = [*map(spell, values)]
        try:
            value = msgspec.convert(
                values if takes_list else values[0], parameter.type, strict=False
            )
        except (ValueError, TypeError) as error:
            raise _misfit(safe_message(error, parameter.type, strict=False), place) from None
        if flaw := flaw_of(value, zoned=zoned):
            raise _misfit(flaw, place)
        return value

    return read


def _misfit(detail: str, place: str) -> Invalid:
    return Invalid(errors=[InvalidField(detail, parameter=place)])


def _finder(source: str, name: str, takes_list: bool) -> Callable[[Context], list[str]]:
    """Return what finds all values of *name* in a query, the headers or the cookies.

    Of cookies, those that differ: a browser may hold one at two paths. Where a list is wanted of a
    header, what it lists with commas or by coming again (RFC 9110, 5.3).
    Empty items are none (5.6.1.2), and a comma inside of quotes is no end of one.
    """
    if source == "query":
        return lambda c: c.request.query.get(name, [])
    if source == "cookie":
        return lambda c: [*dict.fromkeys(c.request.cookies.get(name, ()))]

    def find(c: Context) -> list[str]:
        value = c.request.headers.get(name)
        if value is None or not takes_list:
            return [] if value is None else [value]
        return [item for text in _ITEM.findall(value) if (item := text.strip())]

    return find


def is_body(annotation: Any) -> bool:
    """Return whether *annotation* is read from a body: a Struct, a list, a dict, or ``Form``."""
    return is_form_field(annotation) or bool(_media_types(annotation))


def is_form_field(annotation: Any) -> bool:
    """Return whether *annotation* is a single field of a form: ``Form`` of a `File`, or of no Struct."""
    source, type = marker_of(annotation)
    return source == "form" and (type is File or not is_struct(type))


def fields_reader(
    function: Callable[..., Any], fields: Sequence[Parameter]
) -> tuple[Parameter, BodyReader]:
    """Return a body, called after the first of *fields*, that is the form of all of them, and its reader.

    What is read has each field as an attribute. *function* is what takes them. Raises `ValueError`
    for two of one name.
    """
    form = _form_of(function, fields)
    return body_reader(fields[0].name, Annotated[form, Marker("form")])


_forms: dict[tuple[str, str], dict[Callable[..., Any], Any]] = {}
"""The forms of single fields, by module and name of the functions that take them."""


def _form_of(function: Callable[..., Any], fields: Sequence[Parameter]) -> Any:
    """Return a Struct of *fields* that is called after *function*, the same for each of its paths."""
    module, name = function.__module__, function.__name__
    alike = _forms.setdefault((module, name), {})
    if function not in alike:
        declared = [(field.name, field.type, _struct_field(field)) for field in fields]
        of = f"{module}.{len(alike) + 1}" if alike else module  # tells them apart in a document
        alike[function] = msgspec.defstruct(f"{name}_form", declared, kw_only=True, module=of)
    return alike[function]


def _struct_field(parameter: Parameter) -> Any:
    name, default = parameter.alias, parameter.default
    if default is MISSING:
        return msgspec.field(name=name)
    if isinstance(default, list | set):
        return msgspec.field(name=name, default_factory=default.copy)
    return msgspec.field(name=name, default=default)


def body_reader(name: str, annotation: Any) -> tuple[Parameter, BodyReader]:
    """Return what the body parameter *annotation* declares, and a reader of it.

    The reader raises `UnsupportedMediaType`, `ContentTooLarge`, `BadRequest` or `Invalid`.
    """
    types = _media_types(annotation)
    decoders = {
        media_type: _json_decoder(type) if media_type == JSON_TYPE else form_decoder(type)
        for media_type, type in types.items()
    }
    expected = " or ".join(decoders)

    async def read(c: Context) -> Any:
        request = c.request
        content_type = request.headers.get("content-type") or ""
        decode = decoders.get(content_type)  # without parameters, as most are
        if decode is None:
            decode = decoders.get(request.media_type)
            if decode is None or not _is_read(content_type, request.media_type):
                raise UnsupportedMediaType(f"Send the body as {expected}, in UTF-8.")
        if request.headers.get("content-encoding"):
            raise UnsupportedMediaType(
                "Send the body without a Content-Encoding.",
                headers=(("accept-encoding", "identity"),),  # RFC 9110, 12.5.3
            )
        return decode(await request.bytes(), content_type)

    return Parameter(name, "body", next(iter(types.values())), media_types=types), read


def _json_decoder(type: Any) -> Callable[[bytes, str], Any]:
    decode = json_decoder(type)
    return lambda data, _: decode(data)


def _media_types(annotation: Any) -> dict[str, Any]:
    """Return the type that *annotation* declares for each media type it reads."""
    source, type = marker_of(annotation)
    if source == "form":
        if not is_struct(type):
            raise ConfigurationError("beside JSON, Form[...] takes a msgspec Struct")
        return {MULTIPART_TYPE if takes_files(type) else FORM_TYPE: type}
    members = get_args(annotation) if is_union(annotation) else ()
    forms = [member for member in members if marker_of(member)[0] == "form"]
    if forms:
        others = [member for member in members if member not in forms]
        if len(others) != 1 or len(forms) != 1:
            raise ConfigurationError("write Form[A] | B: one type for forms, one for JSON")
        return {JSON_TYPE: others[0], **_media_types(forms[0])}
    plain = without_notes(annotation)
    if any(marker_of(member)[0] for member in get_args(plain)):
        raise ConfigurationError("a marker stands around the whole type, as in Query[int | None]")
    is_json = is_struct(plain) or class_of(plain) in (list, dict)
    if members:  # each tagged, as msgspec asks
        is_json = all(map(is_struct, members))
    return {JSON_TYPE: annotation} if is_json else {}


def _is_read(content_type: str, media_type: str) -> bool:
    """Return whether *content_type* is short, well-formed, and names no charset but UTF-8.

    One of a multipart body may be malformed: that is found where its boundary is looked for.
    """
    parameters, is_whole = type_parameters(content_type)
    charsets = {value.strip().lower() for name, value in parameters if name == "charset"}
    return (
        len(content_type) <= _TYPE_LIMIT
        and (is_whole or media_type == MULTIPART_TYPE)
        and charsets <= {"utf-8", "utf8"}
    )
