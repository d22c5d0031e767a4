"""The site as a person sees it, in a browser that runs no scripts."""

import re

import pytest

from framework.testing import Client
from tests.e2e.assertions import cookies_of
from tests.e2e.backdoor import Backdoor
from tests.e2e.page import ACCEPT, Visitor
from tests.e2e.people import Person, new_username
from tests.e2e.service import Service


async def test_the_home_page_of_a_stranger_is_the_way_in(visitor: Visitor) -> None:
    page = await visitor.open("/")

    assert [form.action for form in page.forms] == ["/sign-in", "/sign-up"]
    assert page.links["The API"] == "/docs"
    assert cookies_of(visitor.answer) == []


async def test_all_that_a_person_does(visitor: Visitor, service: Service) -> None:
    username, password = new_username(), service.canary.new_password()
    await visitor.open("/")

    page = await visitor.submit("Sign up", username=username, password=password)
    assert (visitor.answer.status, visitor.answer.header("location")) == (303, "/")
    assert f"Signed in as {username}" in page.text
    assert "Visitor/1.0" in page.text

    page = await visitor.submit("Add the note", title="<i>Fire</i>", body="\nOn the hill\n")
    assert "<i>Fire</i>" in page.links

    page = await visitor.open(page.links["<i>Fire</i>"])
    assert page.form("Save").fields == {"title": "<i>Fire</i>", "body": "\nOn the hill\n"}
    page = await visitor.submit("Save", title="Smoke", body="</textarea><b>")
    assert page.form("Save").fields == {"title": "Smoke", "body": "</textarea><b>"}

    page = await visitor.open("/")
    assert "Smoke" in page.links
    page = await visitor.submit("Delete")
    assert "Smoke" not in page.links

    new = service.canary.new_password()
    page = await visitor.submit("Change the password", current=password, new=new)
    assert f"Signed in as {username}" in page.text

    page = await visitor.submit("Sign out")
    assert [form.button for form in page.forms] == ["Sign in", "Sign up"]
    page = await visitor.submit("Sign in", username=username, password=password)
    assert visitor.answer.status == 401
    assert "The username or the password is wrong." in page.text

    await visitor.open("/")
    page = await visitor.submit("Sign in", username=username, password=new)
    assert f"Signed in as {username}" in page.text

    page = await visitor.submit("Delete the account")
    assert [form.button for form in page.forms] == ["Sign in", "Sign up"]
    page = await visitor.submit("Sign in", username=username, password=new)
    assert visitor.answer.status == 401


async def test_other_browsers_are_signed_out_from_the_page(
    person: Person, service: Service
) -> None:
    others = [service.browser(user_agent=f"Other/{number}") for number in range(3)]
    for other in others:
        await person.sign_in(other)
    visitor = Visitor(person.browser)

    page = await visitor.open("/")
    assert all(f"Other/{number}" in page.text for number in range(3))
    page = await visitor.submit("End")
    assert sorted([(await other.get("/me")).status for other in others]) == [200, 200, 401]
    page = await visitor.submit("End all other sessions")

    assert [form for form in page.forms if form.button == "End"] == []
    assert [(await other.get("/me")).status for other in others] == [401] * 3


async def test_a_stale_session_is_asked_to_sign_in_and_goes_on(
    person: Person, backdoor: Backdoor
) -> None:
    visitor = Visitor(person.browser)
    await visitor.open("/")
    await backdoor.sql("UPDATE user_session SET authenticated_at = 1 WHERE user_id = ?1", person.id)

    page = await visitor.submit("Delete the account")
    assert visitor.answer.status == 403
    assert "Sign in again to do this." in page.text

    await visitor.submit("Sign in", username=person.username, password=person.password)
    page = await visitor.submit("Delete the account")
    assert [form.button for form in page.forms] == ["Sign in", "Sign up"]


async def test_older_notes_are_a_link_away(person: Person) -> None:
    for number in range(12):
        await person.browser.post("/notes", json={"title": f"Note {number}"})
    visitor = Visitor(person.browser)

    page = await visitor.open("/")
    assert [title for title in page.links if title.startswith("Note")] == [
        f"Note {number}" for number in range(11, 1, -1)
    ]
    page = await visitor.open(page.links["Older notes"])

    assert [title for title in page.links if title.startswith("Note")] == ["Note 1", "Note 0"]


@pytest.mark.parametrize(
    ("path", "text"), [("/me", "Signed in"), ("/notes", "Notes"), ("/sessions", "Sessions")]
)
async def test_parts_of_the_home_page_have_pages_of_their_own(
    resident: Person, path: str, text: str
) -> None:
    page = await Visitor(resident.browser).open(path)

    assert text in page.text


@pytest.mark.parametrize(
    ("path", "status"), [("/me", 401), ("/nowhere", 404), ("/notes", 401), ("/sign-in", 405)]
)
async def test_errors_are_pages_where_a_browser_asks(
    visitor: Visitor, path: str, status: int
) -> None:
    page = await visitor.open(path)

    assert visitor.answer.status == status
    assert page.links["Back to the start"] == "/"


async def test_what_does_not_fit_a_form_is_listed(visitor: Visitor) -> None:
    await visitor.open("/")

    page = await visitor.submit("Sign up", username="-", password="short")

    assert visitor.answer.status == 422
    assert re.search(
        "username: Expected 3 to 64 .+password: Expected at least 8 characters", page.text
    )
    assert "short" not in page.text


async def test_a_taken_name_is_said_so(
    visitor: Visitor, resident: Person, service: Service
) -> None:
    await visitor.open("/")

    page = await visitor.submit(
        "Sign up", username=resident.username, password=service.canary.new_password()
    )

    assert (visitor.answer.status, "That username is taken." in page.text) == (409, True)


async def test_an_error_page_keeps_its_headers(visitor: Visitor) -> None:
    await visitor.open("/sign-in")

    assert visitor.answer.header("allow") == "OPTIONS, POST"


@pytest.mark.parametrize("path", ["/", "/me", "/nowhere"])
async def test_pages_let_no_script_run_and_nobody_frame_them(browser: Client, path: str) -> None:
    answer = await browser.get(path, headers={"accept": ACCEPT})

    policy = answer.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert answer.header("x-content-type-options") == "nosniff"
    assert answer.header("referrer-policy") == "same-origin"


async def test_a_form_from_a_program_gets_json(service: Service, browser: Client) -> None:
    credentials = {"username": new_username(), "password": service.canary.new_password()}

    answer = await browser.post("/sign-up", form=credentials)

    assert (answer.status, answer.header("content-type")) == (201, "application/json")
