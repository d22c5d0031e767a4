"""Works out, once and at import, how a function is called for a request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from inspect import unwrap  # msgspec imports it anyway
from types import FrameType, FunctionType
from typing import Any, NamedTuple, get_type_hints

from msgspec import Meta

from framework.bindings import Bindings, is_bindings
from framework.callables import place_of, wants_await
from framework.context import Context
from framework.database import Database, Result
from framework.errors import ConfigurationError, Invalid, InvalidField
from framework.multipart import File
from framework.parameters import (
    MISSING,
    Alias,
    Depends,
    Parameter,
    Reader,
    body_reader,
    fields_reader,
    is_body,
    is_form_field,
    marker_of,
    name_of,
    path_reader,
    provider_of,
    value_reader,
)
from framework.request import Request
from framework.response import Response
from framework.slots import Slot, handed_on, note_body
from framework.text_types import (
    UNREADABLE,
    class_of,
    is_readable,
    members_of,
    notes_of,
    unaliased,
    without_notes,
)

__all__ = ["Call", "Plan", "Scope", "Signature", "make_plan", "read_signature"]

Call = Callable[[Context], Awaitable[Any]]
"""Answers a request with anything that can be sent; of a provider, finds a value."""

_VARIADIC = 0x04 | 0x08  # CO_VARARGS, CO_VARKEYWORDS
_GENERATOR = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR
_ON_CONTEXT = (
    (Request, "read c.request"),
    (Database, "call c.database()"),
    (bytes, "await c.request.bytes()"),
    (Response, "return the Response; cookies are set with c.cookies"),
)
"""What no parameter is, and what to do with the context instead."""
_ASKED_OF_AUTH = ". On a public route, write await auth.user(c), or auth.session(c)"


class Signature(NamedTuple):
    """What a function declares: its parameters with annotations and defaults, and where it stands."""

    function: Callable[..., Any]
    name: str
    place: str
    annotations: dict[str, Any]
    defaults: dict[str, Any]
    keyword_only: frozenset[str]
    returns: Any


class Scope(NamedTuple):
    """What a function may ask for: names of the path, slots that are filled, a body or none."""

    path_names: Mapping[str, bool]
    """Each name of the path, and whether a path may leave it out."""
    slots: tuple[Slot[Any], ...]
    with_body: bool
    maybe: tuple[Slot[Any], ...] = ()
    """Slots that are filled by some of the ways to pass, and not by all."""
    providers: tuple[Callable[..., Any], ...] = ()
    """The providers that this is planned for, outermost first."""


class Plan(NamedTuple):
    """How to call a function, and what it reads of the request."""

    call: Call
    parameters: tuple[Parameter, ...]


def read_signature(function: Callable[..., Any], frame: FrameType | None = None) -> Signature:
    """Return what *function* declares. Its annotations, as text, may name locals of *frame*.

    Not where that is a frame of another module, whose names mean something else. Raises
    `ConfigurationError` for what is not a plain function, and for annotations that do not resolve.
    """
    if not isinstance(function, FunctionType):
        place = place_of(getattr(function, "func", function))  # of a partial, what it calls
        raise ConfigurationError(
            f"{place}: this is not a plain function: write async def, and call it there"
        )
    code, place = function.__code__, place_of(function)
    if code.co_flags & _VARIADIC:
        raise ConfigurationError(
            f"{place}: {code.co_name} takes * or **: write a guard, a provider or a layer"
        )
    if code.co_posonlyargcount:
        raise ConfigurationError(
            f"{place}: {code.co_name} takes parameters by position only: remove the /"
        )
    if code.co_flags & _GENERATOR:
        raise ConfigurationError(
            f"{place}: {code.co_name} is a generator: return the whole value, or in a handler"
            " framework.streaming.stream(...) of one"
        )
    spaces = getattr(unwrap(function), "__globals__", None)
    names = dict(frame.f_locals) if frame and frame.f_globals is spaces else {}
    try:
        found = get_type_hints(function, localns=names, include_extras=True)
        hints = {name: unaliased(hint) for name, hint in found.items()}
    except UNREADABLE as error:
        raise ConfigurationError(f"{place}: {code.co_name}: {error}") from None
    positional = code.co_varnames[: code.co_argcount]
    keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    defaults = function.__defaults__ or ()
    return Signature(
        function=function,
        name=code.co_name,
        place=place,
        annotations={name: hints.get(name, MISSING) for name in positional + keyword},
        defaults={
            **dict(zip(reversed(positional), reversed(defaults), strict=False)),
            **(function.__kwdefaults__ or {}),
        },
        keyword_only=frozenset(keyword),
        returns=hints.get("return", MISSING),
    )


def make_plan(signature: Signature, scope: Scope) -> Plan:
    """Return the plan for calling the function in *scope*.

    Raises `ConfigurationError`, naming the parameter, for one that nothing in scope can fill.
    """
    certain: dict[str, Reader] = {}
    checked: dict[str, Reader] = {}
    provided: dict[str, Call] = {}
    bodies: dict[str, Call] = {}
    declared: list[Parameter] = []
    fields: list[Parameter] = []
    for index, (name, annotation) in enumerate(signature.annotations.items()):
        default = signature.defaults.get(name, MISSING)
        start = _start(signature, name)
        _refuse_default(start, name, default)
        source, type = marker_of(annotation)
        alias = name_of(annotation)
        called = alias or name
        taken = {"self", *signature.defaults, *scope.path_names}  # a method has no instance here
        is_first = annotation is MISSING and index == 0 and name not in taken
        if annotation is Context or is_first:
            certain[name] = _itself
        elif (provider := provider_of(annotation)) is not None:
            plan = _plan_provider(signature, provider, scope)
            declared += [parameter for parameter in plan.parameters if parameter not in declared]
            provided[name] = _provided_by(provider, plan.call)
        elif is_bindings(annotation):
            certain[name] = _bindings_reader(annotation)
        elif called in scope.path_names and not (source or _named_slots(annotation)):
            if scope.path_names[called] and default is MISSING:
                raise ConfigurationError(
                    f"{signature.place}: the path may leave out {called!r}: give it a default"
                )
            kind = str if type is MISSING else type
            declared.append(_checked(start, Parameter(called, "path", kind, default)))
            certain[name] = path_reader(called, kind, default)
        elif source in {"query", "header", "cookie"}:
            declared.append(_checked(start, Parameter(name, source, type, default, alias=alias)))
            checked[name] = value_reader(declared[-1])
        elif scope.with_body and is_form_field(annotation):
            fields.append(_checked(start, Parameter(name, source, type, default, alias=alias)))
        elif (slot_reader := _slot_reader(annotation, scope, start)) is not None:
            certain[name] = slot_reader
        elif scope.with_body and not _carried(annotation) and _is_body(start, annotation):
            parameter, bodies[name] = _plan_body(signature, start, name)
            declared.append(parameter)
        else:
            raise ConfigurationError(_unfillable(start, annotation, scope))
    if fields:
        try:
            parameter, bodies[fields[0].name] = fields_reader(signature.function, fields)
        except ValueError as error:
            raise ConfigurationError(f"{signature.place}: {signature.name}: {error}") from None
        declared.append(parameter)
        signature = signature._replace(function=_taking_apart(signature.function, fields))
    if len(bodies) > 1:
        raise ConfigurationError(
            f"{signature.place}: {signature.name} reads the body twice: one Struct may have both"
        )
    call = _make_call(signature, certain, checked, provided | bodies)
    return Plan(call, tuple(declared))


def _refuse_default(start: str, name: str, default: Any) -> None:
    """Raise for a note, such as a provider, in the place of a default: nobody would ask it."""
    if isinstance(default, Depends | Alias | Meta):
        raise ConfigurationError(
            f"{start} has {default!r} as its default: write {name}: Annotated[..., {default!r}]"
        )


def _plan_provider(signature: Signature, provider: Callable[..., Any], scope: Scope) -> Plan:
    if provider in scope.providers:
        raise ConfigurationError(f"{signature.place}: the provider {provider!r} asks for itself")
    asked = read_signature(provider)
    return make_plan(asked, scope._replace(with_body=False, providers=(*scope.providers, provider)))


def _provided_by(provider: Callable[..., Any], call: Call) -> Call:
    """Return a call for what *provider* returns, kept for the request."""

    async def read(c: Context) -> Any:
        provided = c.provided()
        if provider not in provided:
            provided[provider] = await call(c)
        return provided[provider]

    return read


def _bindings_reader(type: type[Bindings]) -> Reader:
    return lambda c: c.bindings(type)


def _checked(start: str, parameter: Parameter) -> Parameter:
    """Return *parameter*, which is sent as text. Raises where its type is not read from text.

    And for the header Cookie: that an answer depends on cookies is only known where `Cookie` reads them.
    """
    if parameter.source == "header" and parameter.sent_name.lower() == "cookie":
        raise ConfigurationError(
            f"{start} is the header of all cookies: write {parameter.name}: Cookie[...]"
        )
    several = parameter.source != "path"
    beside = File if parameter.source == "form" else None
    if not is_readable(parameter.type, with_several=several, beside=beside):
        hint = "" if several else ": give it another name"  # it is a body, or what a guard hands on
        raise ConfigurationError(
            f"{start} is text in the {parameter.source}, and {parameter.type!r} is not read from"
            f" text{hint}"
        )
    return parameter


def _plan_body(signature: Signature, start: str, name: str) -> tuple[Parameter, Call]:
    """Return what *name*, which is the body, declares, and a reader of it."""
    annotation = signature.annotations[name]
    if name in signature.defaults:
        raise ConfigurationError(
            f"{start} is the body, which every request has to send: remove its default"
        )
    try:
        planned = body_reader(name, annotation)
    except (ConfigurationError, *UNREADABLE) as error:
        raise ConfigurationError(f"{signature.place}: the body {name!r}: {error}") from None
    for kind in members_of(annotation):
        note_body(kind, f"{signature.place}: {signature.name}")
    return planned


def _taking_apart(function: Callable[..., Any], fields: Sequence[Parameter]) -> Callable[..., Any]:
    """Return *function*, to be called with the form of all *fields* in place of the first of them."""
    names = [field.name for field in fields]

    def call(**values: Any) -> Any:
        form = values.pop(names[0])
        return function(**values, **{name: getattr(form, name) for name in names})

    return call


def _itself(c: Context) -> Context:
    return c


def _slot_reader(annotation: Any, scope: Scope, start: str) -> Reader | None:
    """Return a reader of what a guard hands on, or None where no slot carries *annotation*."""
    members = members_of(_plain(annotation))
    wanted = [member for member in members if member is not type(None)]
    if len(wanted) != 1:
        return None
    is_optional = type(None) in members
    slots = scope.slots + (scope.maybe if is_optional else ())
    kind = _plain(wanted[0])
    slot = _find_slot(kind, slots, start, _named_slots(annotation))
    if slot is not None:
        return (lambda c: c.find(slot)) if is_optional else (lambda c: c.get(slot))
    if is_optional and (by := handed_on(kind)):
        raise ConfigurationError(
            f"{start} asks for {kind.__name__}, which {by} hands on, but no guard of this route can"
            f" fill: it would always be None{_ASKED_OF_AUTH if by == 'Auth' else ''}"
        )
    return None


def _named_slots(annotation: Any) -> list[Slot[Any]]:
    """Return the slots that *annotation* names, as ``Annotated[User, the_slot]`` does."""
    members = (annotation, *members_of(annotation))
    return [note for member in members for note in notes_of(member) if isinstance(note, Slot)]


def _find_slot(
    kind: Any, slots: Sequence[Slot[Any]], start: str, named: Sequence[Slot[Any]]
) -> Slot[Any] | None:
    """Return the slot that carries a *kind*: the one that is *named*, or the one of its class.

    Raises `ConfigurationError` where several do: which is meant decides who passes.
    """
    if named:  # then by its class, of which the annotation may be a generic, as dict[str, str] is
        kind, slots = class_of(kind), [slot for slot in slots if slot in named]
    if kind is object or not isinstance(kind, type):
        return None
    fitting = [slot for slot in dict.fromkeys(slots) if kind in slot.type.__mro__]
    exact = [slot for slot in fitting if slot.type is kind] or fitting
    if len(exact) > 1:
        raise ConfigurationError(
            f"{start} asks for {kind.__name__}, which several guards hand on"
            f" ({', '.join([slot.name for slot in exact])}): say which one with"
            f" Annotated[{kind.__name__}, the slot]"
        )
    return exact[0] if exact else None


def _plain(annotation: Any) -> Any:
    """Return *annotation* without notes, such as a slot, unless one says where it is read from."""
    return annotation if marker_of(annotation)[0] else without_notes(annotation)


def _start(signature: Signature, name: str) -> str:
    is_ours = str(signature.function.__module__).startswith("framework.")
    place = "" if is_ours else f"{signature.place}: "  # ours is not where the mistake is
    return f"{place}the parameter {name!r} of {signature.name}"


def _unfillable(start: str, annotation: Any, scope: Scope) -> str:
    called, carried = name_of(annotation), _carried(annotation)
    annotation = _plain(annotation)
    names = ", ".join([f":{each}" for each in sorted(scope.path_names)])
    known = f", which has {names}" if names else ""
    if annotation is MISSING:
        return f"{start} has no annotation and is not in the path{known}"
    for kind, cure in _ON_CONTEXT:
        if annotation is kind:
            return f"{start} asks for {kind.__name__}: take the context, c: Context, and {cure}"
    if annotation is Result:
        return f"{start} asks for a Result, but no reads= says what to read"
    if carried:
        return f"{start} asks for {carried.__name__}, {_why_not_filled(carried, scope)}"
    if called:
        return f"{start} is the path's :{called}, and the path has {names or 'no names'}"
    if not scope.with_body and _is_body(start, annotation):
        return f"{start} asks for a body, which GET, guards and providers do not read"
    if type(None) in members_of(annotation) and any(map(is_body, members_of(annotation))):
        return f"{start} is a body or None, and every request has to send one: remove the None"
    kind = class_of(annotation)  # of a Mapping[str, int], too
    if (
        scope.with_body
        and isinstance(kind, type)
        and not (len(members_of(annotation)) > 1 or is_readable(annotation, with_several=True))
    ):
        return f"{start} is not a body, since {kind.__name__} is not a msgspec Struct, list or dict"
    return f"{start} is not in the path{known}: write Query[...], Header[...], Cookie[...] or Form[...]"


def _is_body(start: str, annotation: Any) -> bool:
    try:
        return is_body(annotation)
    except (ConfigurationError, *UNREADABLE) as error:
        raise ConfigurationError(f"{start}: {error}") from None


def _why_not_filled(carried: type, scope: Scope) -> str:
    if any(carried in slot.type.__mro__ for slot in scope.maybe):
        return f"which only some ways past its guards hand on: write {carried.__name__} | None"
    for slot in scope.slots:
        if slot.type in carried.__mro__[1:]:
            return (
                f"and its guard hands on {slot.type.__name__}: declare that guard so that it hands"
                f" on {carried.__name__}, as Auth(user=...) does"
            )
    return (
        f"which {handed_on(carried) or 'a slot'} hands on, but no guard in front of this provides"
        " one: put one in front, with &"
    )


def _carried(annotation: Any) -> Any:
    """Return the first class in *annotation* that some guard hands on, or None."""
    for member in members_of(annotation):
        if handed_on(member):
            return class_of(member)
    for slot in _named_slots(annotation):
        return slot.type
    return None


def _make_call(
    signature: Signature,
    certain: dict[str, Reader],
    checked: dict[str, Reader],
    waited: dict[str, Call],
) -> Call:
    """Return a call that names all misfits at once, of the query, headers, cookies and body."""
    function = signature.function
    is_async = wants_await(function)
    if is_async and not checked:
        if len(waited) == 1:
            return _waiting_call(signature, certain, *waited.items())
        if not waited and not signature.keyword_only:
            return _positional_call(function, list(certain.values()))

    async def call(c: Context) -> Any:
        values = {name: read(c) for name, read in certain.items()}
        errors: list[InvalidField] = []
        for name, read in checked.items():
            try:
                values[name] = read(c)
            except Invalid as error:
                errors += error.errors
        for name, find in waited.items():
            try:
                values[name] = await find(c)
            except Invalid as error:
                errors += [misfit for misfit in _misfits(error) if misfit not in errors]
        if errors:
            raise Invalid(errors=errors)
        result = function(**values)
        return await result if is_async or hasattr(result, "__await__") else result

    return call


def _positional_call(function: Callable[..., Any], readers: list[Reader]) -> Call:
    """Return the quickest call for an async function of positional parameters that never misfit."""
    match readers:
        case []:
            return lambda c: function()  # noqa: ARG005  every call takes the context
        case [first]:
            return function if first is _itself else lambda c: function(first(c))
        case [first, second] if first is _itself:
            return lambda c: function(c, second(c))
        case [first, second]:
            return lambda c: function(first(c), second(c))
        case [first, second, third] if first is _itself:
            return lambda c: function(c, second(c), third(c))
        case _:
            return lambda c: function(*[read(c) for read in readers])


def _waiting_call(
    signature: Signature, certain: dict[str, Reader], waited: tuple[str, Call]
) -> Call:
    """Return the quickest call for an async function that waits for one value, a body or a provider's."""
    function = signature.function
    waited_name, find = waited
    is_alone = not certain and not signature.keyword_only

    async def call(c: Context) -> Any:
        values = {} if is_alone else {name: read(c) for name, read in certain.items()}
        try:
            value = await find(c)
        except Invalid as error:
            raise Invalid(errors=_misfits(error)) from None
        return await (function(value) if is_alone else function(**values, **{waited_name: value}))

    return call


def _misfits(error: Invalid) -> Sequence[InvalidField]:
    """Return what *error* names. Raises it where it says something else: a provider may have its own."""
    if error.code != Invalid.code:
        raise error
    return error.errors or (InvalidField(error.detail or "Not valid."),)
