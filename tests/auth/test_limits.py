"""What `Limits` may be made of: what cannot work is refused at import, by its name."""

import time
from typing import Any

import msgspec
import pytest

from framework.auth import GRACE, Limits, codes, links
from framework.auth.limits import CLOCK_ERROR, FAILURES_KEPT, now
from framework.errors import ConfigurationError
from tests.auth.world import World

MINUTE = 60_000
DAY = 86_400_000
FIELDS = [field.name for field in msgspec.structs.fields(Limits)]


def test_what_holds_where_nothing_is_said() -> None:
    assert msgspec.structs.asdict(Limits()) == {
        "active": DAY,
        "idle": 14 * DAY,
        "absolute": 90 * DAY,
        "last_seen": 60 * MINUTE,
        "recent": 15 * MINUTE,
        "attempts": 10,
        "device_attempts": 5,
        "device": 365 * DAY,
        "window": 15 * MINUTE,
        "failures": 100,
        "sessions": 100,
        "grace": 0,
    }
    assert (GRACE, CLOCK_ERROR, FAILURES_KEPT) == (10_000, 60 * MINUTE, 30 * DAY)


def test_what_holds_of_codes_and_links() -> None:
    assert (codes.CODE_LIFE, codes.CODE_TRIES) == (5 * MINUTE, 5)
    assert (codes.CODES_PER_WINDOW, codes.CODES_PER_ADDRESS) == (5, 10)
    assert codes.CODE_WINDOW == 60 * MINUTE
    assert (links.LINK_LIFE, links.LINKS_PER_ACCOUNT) == (120 * MINUTE, 3)
    assert links.UNSENT_LIFE == 15 * MINUTE


def test_the_clock_says_milliseconds() -> None:
    assert now() / 1000 == pytest.approx(time.time(), rel=0, abs=5)


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize(
    "value", [-1, 1.5, 3_600_000.0, True, None, "1", 2**52 + 1, 10**30], ids=str
)
def test_a_limit_is_a_whole_number(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=rf"Limits\({name}=") as caught:
        Limits(**{name: value})

    assert repr(value) in str(caught.value)


def test_the_longest_is_exact_in_javascript() -> None:
    assert Limits(window=2**52).window == 2**52


@pytest.mark.parametrize("name", FIELDS)
def test_none_of_them_is_nothing_but_three(name: str) -> None:
    if name in {"failures", "grace", "sessions"}:
        assert getattr(Limits(**{name: 0}), name) == 0
        return
    with pytest.raises(ConfigurationError, match=rf"Limits\({name}=0\)"):
        Limits(**{name: 0})


@pytest.mark.parametrize(
    ("limits", "is_good"),
    [
        ({"active": DAY, "idle": 399 * DAY, "absolute": 1000 * DAY}, True),
        ({"active": DAY, "idle": 399 * DAY + 1, "absolute": 1000 * DAY}, False),
        ({"active": 400 * DAY, "idle": 1, "absolute": 1000 * DAY}, False),
        ({"active": 401 * DAY, "idle": 401 * DAY, "absolute": 400 * DAY}, True),
        ({"active": 401 * DAY, "idle": 401 * DAY, "absolute": 400 * DAY + 1}, False),
        ({"idle": 420 * DAY}, True),  # 90 days after signing in it ends anyway
        ({"absolute": 5_000}, True),
        ({"device": 3650 * DAY}, True),  # that cookie is sent for 400 days
    ],
    ids=str,
)
async def test_a_session_lives_no_longer_than_a_cookie(
    limits: dict[str, int], is_good: bool
) -> None:
    if not is_good:
        with pytest.raises(ConfigurationError, match=r"400 days.*make idle shorter"):
            Limits(**limits)
        return
    world = World(limits=Limits(**limits))

    assert (await (await world.signed_up()).get("/me")).status == 200
    world.close()


@pytest.mark.parametrize(
    ("grace", "absolute", "is_good"),
    [(GRACE, 90 * DAY, True), (4_999, 5_000, True), (5_000, 5_000, False), (GRACE, 5_000, False)],
)
def test_what_was_replaced_ends_before_what_takes_its_place(
    grace: int, absolute: int, is_good: bool
) -> None:
    if is_good:
        assert Limits(grace=grace, absolute=absolute).grace == grace
        return
    with pytest.raises(ConfigurationError, match=rf"Limits\(grace={grace}\)"):
        Limits(grace=grace, absolute=absolute)


def test_changing_one_checks_them_again() -> None:
    with pytest.raises(ConfigurationError, match="window"):
        msgspec.structs.replace(Limits(), window=0)


def test_what_was_checked_does_not_change() -> None:
    with pytest.raises(AttributeError):
        setattr(Limits(), "window", 0)  # noqa: B010  as code without types may
