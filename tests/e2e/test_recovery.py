"""Verifying an address, and coming back without the password."""

import hashlib
import time

import pytest

from framework.response import Response
from framework.testing import Client, json_of
from tests.e2e.assertions import cookies_of, is_problem, misfits_of, plain_headers
from tests.e2e.backdoor import Backdoor
from tests.e2e.mailbox import Mailbox, code_in, link_in, newest
from tests.e2e.page import ACCEPT, Visitor
from tests.e2e.people import Person, new_username
from tests.e2e.service import Service

_VERIFIED = "UPDATE user SET email = ?2, email_verified_at = 1 WHERE id = ?1"
_LINK = (
    "INSERT INTO password_reset (id, user_id, email, key_id, replaces, expires_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
)
_HOUR = 3_600_000


def address_of(person: Person) -> str:
    return f"{person.username}@example.com"


async def verify(person: Person, mailbox: Mailbox) -> None:
    """Have *person* verify an address, as people do."""
    assert (
        await person.browser.post("/me/email", json={"email": address_of(person)})
    ).status == 204
    assert (await person.browser.post("/me/email/verification")).status == 204
    code = code_in(await newest(mailbox, address_of(person)))
    assert (await person.browser.post("/me/email/verify", json={"code": code})).status == 204


async def ask(browser: Client, account: str) -> Response:
    return await browser.post("/password-reset", json={"account": account})


def path_of(link: str, service: Service) -> str:
    assert link.startswith(f"{service.url}/password-reset/")
    return link.removeprefix(service.url)


# --- An address ----------------------------------------------------------------------------------


async def test_an_address_is_verified_with_a_code(person: Person, mailbox: Mailbox) -> None:
    address = address_of(person)
    assert json_of(await person.browser.get("/me/email")) == {"email": None, "verified_at": None}
    await person.browser.post("/me/email", json={"email": f" {address.upper()} "})
    await person.browser.post("/me/email/verification")
    mail = await newest(mailbox, address)

    wrong = await person.browser.post("/me/email/verify", json={"code": "00000000"})
    assert is_problem(wrong, 422, "invalid-code")
    before = json_of(await person.browser.get("/me/email"))
    right = await person.browser.post("/me/email/verify", json={"code": code_in(mail)})
    again = await person.browser.post("/me/email/verify", json={"code": code_in(mail)})

    assert before == {"email": address, "verified_at": None}
    assert (right.status, right.body) == (204, b"")
    assert is_problem(again, 422, "invalid-code")
    after = json_of(await person.browser.get("/me/email"))
    assert after["email"] == address
    assert abs(after["verified_at"] - time.time() * 1000) < 60_000


@pytest.mark.parametrize(
    "email",
    ["x", "@", "a@b", "a@b.co\r\nBcc: c@d.co", "аlice@example.com", "a" * 300],  # noqa: RUF001  a Cyrillic a
)
async def test_what_is_no_address(
    person: Person, browser: Client, service: Service, email: str
) -> None:
    credentials = {"username": new_username(), "password": service.canary.new_password()}

    changed = await person.browser.post("/me/email", json={"email": email})
    signed_up = await browser.post("/sign-up", json=credentials | {"email": email})

    assert misfits_of(changed) == misfits_of(signed_up) == {"/email"}
    assert json_of(await person.browser.get("/me/email"))["email"] is None
    assert (await browser.get("/me")).status == 401


async def test_an_address_can_come_with_the_account(browser: Client, service: Service) -> None:
    username, password = new_username(), service.canary.new_password()
    sent = {"username": username, "password": password, "email": f"{username}@Example.COM"}

    answer = await browser.post("/sign-up", json=sent)

    assert json_of(answer)["user"].keys() == {"id", "username"}
    shown = json_of(await browser.get("/me/email"))
    assert shown == {"email": f"{username}@example.com", "verified_at": None}


async def test_an_address_can_go(person: Person, mailbox: Mailbox) -> None:
    await verify(person, mailbox)

    assert (await person.browser.post("/me/email", json={"email": ""})).status == 204

    assert json_of(await person.browser.get("/me/email")) == {"email": None, "verified_at": None}
    assert is_problem(await person.browser.post("/me/email/verification"), 409, "conflict")


async def test_claiming_somebodys_address_tells_nothing_and_takes_nothing(
    person: Person, stranger: Person, browser: Client, mailbox: Mailbox
) -> None:
    await verify(person, mailbox)

    claimed = await stranger.browser.post("/me/email", json={"email": address_of(person)})
    own = await stranger.browser.post("/me/email", json={"email": address_of(stranger)})
    await stranger.browser.post("/me/email", json={"email": address_of(person)})

    assert (claimed.status, claimed.body, plain_headers(claimed)) == (
        own.status, own.body, plain_headers(own),
    )  # fmt: skip
    await ask(browser, address_of(person))
    link = link_in(await newest(mailbox, address_of(person), 2))
    assert (await browser.get(link[link.index("/password-reset") :])).status == 200
    assert json_of(await person.browser.get("/me/email"))["verified_at"] is not None


async def test_codes_are_limited(person: Person) -> None:
    await person.browser.post("/me/email", json={"email": address_of(person)})

    answers = [await person.browser.post("/me/email/verification") for _ in range(6)]

    assert [answer.status for answer in answers] == [204] * 5 + [429]
    assert 3590 <= int(answers[-1].header("retry-after") or "") <= 3600


async def test_changing_it_asks_for_a_fresh_password(person: Person, backdoor: Backdoor) -> None:
    stale = "UPDATE user_session SET authenticated_at = 1 WHERE user_id = ?1"
    await backdoor.sql(stale, person.id)

    answer = await person.browser.post("/me/email", json={"email": address_of(person)})

    assert is_problem(answer, 403, "reauthentication-required")


# --- A lost password -----------------------------------------------------------------------------


async def test_a_lost_password_is_replaced(
    person: Person, browser: Client, service: Service, mailbox: Mailbox
) -> None:
    await verify(person, mailbox)
    assert (await ask(browser, person.username)).status == 202
    path = path_of(link_in(await newest(mailbox, address_of(person), 2)), service)
    new = service.canary.new_password()

    short = await browser.post(path, json={"password": "short"})
    answer = await browser.post(path, json={"password": new})
    again = await browser.post(path, json={"password": service.canary.new_password()})

    assert misfits_of(short) == {"/password"}
    assert (answer.status, answer.body, cookies_of(answer)) == (204, b"", [])
    assert is_problem(again, 404, "invalid-link")
    assert (await person.browser.get("/me")).status == 401
    old = await person.sign_in(browser)
    assert is_problem(old, 401, "invalid-credentials")
    credentials = {"username": person.username, "password": new}
    assert (await browser.post("/sign-in", json=credentials)).status == 200


async def test_the_answer_is_the_same_whoever_it_is(
    person: Person, stranger: Person, browser: Client, mailbox: Mailbox
) -> None:
    await verify(person, mailbox)
    await stranger.browser.post("/me/email", json={"email": address_of(stranger)})
    accounts = [
        person.username,
        address_of(person),
        stranger.username,
        address_of(stranger),
        new_username(),
        f"{new_username()}@example.com",
        "\0",
        "x" * 256,
    ]

    answers = [await ask(browser, account) for account in accounts]

    first = (answers[0].body, plain_headers(answers[0]))
    for answer in answers:
        assert (answer.status, cookies_of(answer)) == (202, [])
        assert (answer.body, plain_headers(answer)) == first
    await newest(mailbox, address_of(person), 3)
    assert not [mail for mail in await mailbox.mails() if mail["to"] == address_of(stranger)]


async def test_three_links_are_good_and_no_fourth_is_sent(
    person: Person, browser: Client, service: Service, mailbox: Mailbox
) -> None:
    await verify(person, mailbox)
    for _ in range(4):
        await ask(browser, person.username)
    links = [link_in(await newest(mailbox, address_of(person), n)) for n in (2, 3, 4)]

    looked = [(await browser.get(path_of(link, service))).status for link in links]

    assert looked == [200] * 3
    assert len([m for m in await mailbox.mails() if m["to"] == address_of(person)]) == 4


@pytest.mark.parametrize("token", ["a" * 40, "x", "%20", "%C3%A9", "' OR 1=1--"])
async def test_what_is_no_link(browser: Client, service: Service, token: str) -> None:
    path = f"/password-reset/{token}".replace(" ", "%20")

    looked = await browser.get(path)
    used = await browser.post(path, json={"password": service.canary.new_password()})

    assert is_problem(looked, 404, "invalid-link")
    assert is_problem(used, 404, "invalid-link")
    assert looked.header("cache-control") == "private, no-store"


@pytest.mark.parametrize(("left", "status"), [(_HOUR, 204), (-1, 404)], ids=["good", "over"])
async def test_a_link_that_is_over(
    person: Person,
    browser: Client,
    service: Service,
    backdoor: Backdoor,
    left: int,
    status: int,
) -> None:
    [key] = await backdoor.sql("SELECT * FROM user_key WHERE user_id = ?1", person.id)
    await backdoor.sql(_VERIFIED, person.id, address_of(person))
    token = hashlib.sha256(person.id.encode()).hexdigest()[:40]
    digests = [
        hashlib.sha256(text.encode()).hexdigest() for text in (token, key["hashed_password"])
    ]
    ends = int(time.time() * 1000) + left
    values = (person.id, address_of(person), key["id"], digests[1], ends)
    await backdoor.sql(_LINK, digests[0], *values)

    new = {"password": service.canary.new_password()}
    answer = await browser.post(f"/password-reset/{token}", json=new)

    assert answer.status == status
    assert (await person.browser.get("/me")).status == (401 if status == 204 else 200)


async def test_no_token_and_no_code_is_stored(
    person: Person, browser: Client, mailbox: Mailbox, backdoor: Backdoor
) -> None:
    await verify(person, mailbox)
    await ask(browser, person.username)
    token = link_in(await newest(mailbox, address_of(person), 2)).rpartition("/")[2]
    links = await backdoor.sql("SELECT * FROM password_reset WHERE user_id = ?1", person.id)
    await person.browser.post("/me/email", json={"email": f"x{address_of(person)}"})
    await person.browser.post("/me/email/verification")
    code = code_in(await newest(mailbox, f"x{address_of(person)}"))

    codes = await backdoor.sql("SELECT * FROM email_code WHERE user_id = ?1", person.id)

    assert (len(links), len(codes)) == (1, 1)
    assert links[0]["id"] == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(links)
    assert code not in str(codes)


# --- In the pages --------------------------------------------------------------------------------


async def test_all_of_it_in_the_pages(visitor: Visitor, service: Service, mailbox: Mailbox) -> None:
    username, password = new_username(), service.canary.new_password()
    address = f"{username}@example.com"
    await visitor.open("/")
    page = await visitor.submit("Sign up", username=username, password=password, email=address)
    assert f"{address} is not verified yet." in page.text

    await visitor.submit("Send a code")
    code = code_in(await newest(mailbox, address))
    page = await visitor.submit("Verify the address", code="00000000")
    assert (visitor.answer.status, "This code is wrong" in page.text) == (422, True)
    await visitor.open("/me")
    page = await visitor.submit("Verify the address", code=code)
    assert f"{address} is verified." in page.text

    page = await visitor.submit("Sign out")
    await visitor.open(page.links["Forgot the password?"])
    page = await visitor.submit("Send the link", account=username)
    assert (visitor.answer.status, visitor.answer.header("location")) == (
        303,
        "/password-reset/sent",
    )
    assert "If the account has a verified address" in page.text
    path = path_of(link_in(await newest(mailbox, address, 2)), service)

    page = await visitor.open(path)
    assert visitor.answer.header("referrer-policy") == "strict-origin"
    assert visitor.answer.header("cache-control") == "private, no-store"
    page = await visitor.submit("Save the password", password="short")
    assert (visitor.answer.status, "short" in page.text) == (422, False)
    assert visitor.answer.header("referrer-policy") == "strict-origin"
    await visitor.open(path)
    new = service.canary.new_password()
    page = await visitor.submit("Save the password", password=new)
    assert [form.button for form in page.forms] == ["Sign in", "Sign up"]
    page = await visitor.submit("Sign in", username=username, password=new)
    assert f"Signed in as {username}" in page.text

    page = await visitor.open(path)
    assert visitor.answer.status == 404
    assert page.links["Ask for another link"] == "/password-reset"


async def test_the_form_shows_the_same_page_to_everybody(
    person: Person, service: Service, mailbox: Mailbox
) -> None:
    await verify(person, mailbox)
    browser = service.browser()

    answers = [
        await browser.post("/password-reset", form={"account": each}, headers={"accept": ACCEPT})
        for each in (person.username, new_username())
    ]

    assert answers[0].status == answers[1].status == 303
    assert plain_headers(answers[0]) == plain_headers(answers[1])


async def test_a_password_manager_finds_the_name(resident: Person) -> None:
    answer = await resident.browser.get("/me", headers={"accept": ACCEPT})

    assert f'autocomplete="username" value="{resident.username}"'.encode() in bytes(answer.body)  # type: ignore[arg-type]  # no stream
