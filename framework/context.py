"""What a handler is handed: the request, the bindings, and what the guards learned."""

from collections.abc import Awaitable, Callable
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeVar, cast

import msgspec

from framework.bindings import Bindings, Env, read_bindings
from framework.cookie_jar import CookieJar
from framework.cookies import SetCookie
from framework.database import Database
from framework.errors import ConfigurationError, HTTPError
from framework.log import Log
from framework.matcher import Parameters
from framework.outgoing_body import close_body
from framework.request import Request
from framework.slots import Slot

__all__ = ["Context", "Env", "GuardOutcome", "Job", "find_database"]

T = TypeVar("T")
B = TypeVar("B", bound=Bindings)
GuardOutcome = Literal["none", "passed", "refused", "failed"]
"""What a guard said of a request: nothing, yes, no, or that it could not tell."""

_NO_PARAMETERS = cast("Parameters", MappingProxyType({}))


class Context(msgspec.Struct, eq=False, weakref=True):
    """One request being answered. Made by the application, handed to guards and handlers."""

    request: Request
    env: Env
    _wait_until: Callable[[Awaitable[Any]], None] | None = None
    app: Any = None
    """The `App` that answers; None where a test makes a context by itself."""
    params: Parameters = _NO_PARAMETERS
    """The values of the route's path parameters by name, decoded."""
    route: Any = None
    """The `Route` that matched, or None."""
    private: bool = False
    """Whether the answer depends on who asks, and so must stay out of every cache."""
    guard_outcome: GuardOutcome = "none"
    """What the route's guard said; none where it was not asked, or there is only `public`."""
    wrap_database: Callable[[Database], Database] | None = None
    """What `database` passes each database through, for middleware that counts or reads nearby.

    A layer that sets it calls what was there before.
    """
    reads: Any = None
    """The `ReadBatch` of the route's guards, where they declare any."""
    _slots: dict[Slot[Any], Any] = msgspec.field(default_factory=dict)
    sent_cookies: dict[str, SetCookie] | None = None
    """What `send_cookie` was given, by name; None for nothing."""
    if_failed: tuple[SetCookie, ...] = ()
    """What takes the place of the cookies of sessions that this request began, if it fails."""
    _provided: dict[Any, Any] | None = None
    is_answered: bool = False
    """Whether the headers are made, and the body is a stream that goes on: too late for a cookie."""
    told: HTTPError | None = None
    """The last error that the security log was told of."""
    actor: Any = None
    """The `Session` that was found or begun last, for the security log; None for none."""
    request_id: str | None = None
    """What the layer `request_id` calls this request; None without that layer."""
    unawaited: list[Any] | None = None
    """Each `Pending`, as ``auth.user(c)`` is, that was not awaited so far."""
    unsent: Any = None
    """The body of a mounted application's answer; a stream is ended if it is not sent. None for none."""

    def get(self, slot: Slot[T]) -> T:
        """Return what a guard left in *slot*. Raises `ConfigurationError` where none has."""
        try:
            value: T = self._slots[slot]
            return value
        except KeyError:
            raise ConfigurationError(f"no guard of this route fills {slot!r}") from None

    def find(self, slot: Slot[T]) -> T | None:
        """Return what a guard left in *slot*, or None."""
        return self._slots.get(slot)

    def set(self, slot: Slot[T], value: T) -> None:
        """Leave *value* in *slot*, for the guards that follow and the handler."""
        self._slots[slot] = value

    def forget(self, slot: Slot[Any]) -> None:
        """Let *slot* be as if nothing had been left in it."""
        self._slots.pop(slot, None)

    def filled(self) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return what slots and providers hold by now, for `refill`."""
        return dict(self._slots), dict(self._provided or {})

    def refill(self, filled: tuple[dict[Any, Any], dict[Any, Any]]) -> None:
        """Let slots and providers hold *filled*, and nothing else but what outlasts a refusal."""
        slots, provided = filled
        kept = {slot: value for slot, value in self._slots.items() if slot.outlasts_refusal}
        self._slots, self._provided = {**slots, **kept}, dict(provided)

    def refuse_unawaited(self) -> NoReturn:
        """Raise `TypeError` that names the calls in `unawaited`, of which there are some."""
        calls = " and ".join([pending.call for pending in self.unawaited or ()])
        self.unawaited = None
        raise TypeError(f"{calls} was called without await, so its result was never looked at")

    def database(self, name: str = "DB") -> Database:
        """Return the database bound as *name*. Raises `ConfigurationError` where none is."""
        found = find_database(self.env, name)
        return found if self.wrap_database is None else self.wrap_database(found)

    def bindings(self, type: type[B]) -> B:
        """Return the bindings that *type* declares, read once a request.

        Databases among them are what `database` returns. Raises `ConfigurationError` that names all
        that are missing or do not fit.
        """
        provided = self.provided()
        asked = type, self.wrap_database  # a layer may ask for bindings before another counts
        if asked not in provided:
            provided[asked] = read_bindings(type, self.env, self.wrap_database)
        return cast("B", provided[asked])

    def provided(self) -> dict[Any, Any]:
        """Return what providers have returned for this request, by provider. Add to it."""
        if self._provided is None:
            self._provided = {}
        return self._provided

    def url_for(self, name: str, /, **parameters: object) -> str:
        """Return the path of the route called *name*; see `App.url_for`."""
        path: str = self.app.url_for(name, **parameters)
        return path

    @property
    def cookies(self) -> CookieJar:
        """The cookies of the request to read, and those of the answer to set."""
        return CookieJar(self.request, self.send_cookie)

    @property
    def log(self) -> Log:
        """Writes lines of JSON that name the method and the route: never the path or a header.

        They name the request as well, where the layer `request_id` has given it a name.
        """
        route = None if self.route is None else self.route.path
        named = {} if self.request_id is None else {"request_id": self.request_id}
        return Log({"method": self.request.method, "route": route, **named})

    def send_cookie(self, cookie: SetCookie) -> None:
        """Send *cookie* with whatever is answered, errors too. The last of several with one name counts.

        Raises `TypeError` in a stream, whose headers are sent.
        """
        self.refuse_answered("a cookie was set")
        if self.sent_cookies is None:
            self.sent_cookies = {}
        self.sent_cookies[cookie.name] = cookie

    def refuse_answered(self, what: str) -> None:
        """Raise `TypeError` in a stream, whose headers are sent: *what* comes too late."""
        if self.is_answered:
            raise TypeError(f"{what} inside a stream, too late: its headers are sent")

    def cookies_to_send(self) -> list[SetCookie]:
        """Return what `send_cookie` was given."""
        return [*(self.sent_cookies or {}).values()]

    def wait_until(self, work: Awaitable[Any]) -> None:
        """Let *work* go on after the answer is sent: up to 30 seconds in the Worker.

        Raises `TypeError` for what cannot be awaited, such as a function that is not called, and
        `ConfigurationError` where `App.handle` was given no ``wait_until``.
        """
        if self._wait_until is None:
            raise ConfigurationError("no wait_until here: pass one to App.handle")
        if not hasattr(work, "__await__"):
            raise TypeError(f"{work!r} cannot be awaited: call an async function")
        self._wait_until(work)

    def drop_unsent(self) -> None:
        """End the mounted application whose stream an error replaces."""
        body, self.unsent = self.unsent, None
        if body is not None:
            self.drop(body)

    def drop(self, body: Any) -> None:
        """Close *body*, a stream that is not sent after all, where the edge has a `wait_until`."""
        if self._wait_until is not None and not isinstance(body, bytes):
            self._wait_until(close_body(body))

    async def after_answer(self, work: Awaitable[Any]) -> None:
        """Let *work* go on after the answer, or do it now where the edge has no `wait_until`."""
        if self._wait_until is None:
            await work
        else:
            self._wait_until(work)

    def __repr__(self) -> str:
        route = "no route" if self.route is None else self.route.path
        return f"<Context {self.request.method} {route}>"


class Deployed:
    """What has the bindings of a deployment, *env*, and no request: a `Job` or a `Batch`."""

    __slots__ = ("env",)

    env: Env
    """The bindings of the deployment, by name."""

    def bindings(self, type: type[B]) -> B:
        """Return the bindings that *type* declares; see `Context.bindings`."""
        return read_bindings(type, self.env)

    def database(self, name: str = "DB") -> Database:
        """Return the database bound as *name*. Raises `ConfigurationError` where none is."""
        return find_database(self.env, name)


class Job(Deployed):
    """One tick of a cron trigger. *time* is when it was due, in Unix milliseconds."""

    __slots__ = ("cron", "time")

    def __init__(self, cron: str, env: Env, time: int) -> None:
        self.cron: str = cron
        """The schedule, as `App.cron` has it."""
        self.env = env
        self.time: int = time

    @property
    def log(self) -> Log:
        """Writes lines of JSON that name the schedule; see `Log`."""
        return Log({"cron": self.cron})


def find_database(env: Env, name: str) -> Database:
    """Return the database bound as *name* in *env*. Raises `ConfigurationError` where none is."""
    try:
        return cast("Database", env[name])
    except KeyError:
        raise ConfigurationError(
            f"the binding {name} is missing: add it under [[d1_databases]] in wrangler.toml"
        ) from None
