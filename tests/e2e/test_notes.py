"""The example resource: notes that belong to who wrote them."""

from typing import Any

import pytest

from framework.testing import Client, json_of
from tests.e2e.assertions import is_problem, misfits_of
from tests.e2e.people import Person

_UNKNOWN = 999_999_999


async def write(browser: Client, title: str, body: str = "") -> dict[str, Any]:
    answer = await browser.post("/notes", json={"title": title, "body": body})
    assert answer.status == 201, answer.body
    note: dict[str, Any] = json_of(answer)
    return note


async def test_writing_reading_changing_and_deleting_a_note(person: Person) -> None:
    browser = person.browser

    written = await write(browser, "Fire", "on the hill")
    path = f"/notes/{written['id']}"
    read = json_of(await browser.get(path))
    changed = json_of(await browser.put(path, json={"title": "Smoke"}))
    deleted = await browser.delete(path)

    assert written.keys() == {"id", "title", "body", "created_at", "updated_at"}
    assert (written["title"], written["body"]) == ("Fire", "on the hill")
    assert written["created_at"] == written["updated_at"] > 1_700_000_000_000
    assert read == written
    assert (changed["id"], changed["title"], changed["body"]) == (written["id"], "Smoke", "")
    assert changed["created_at"] == written["created_at"] <= changed["updated_at"]
    assert (deleted.status, deleted.body) == (204, b"")
    for method in ("GET", "PUT", "DELETE"):
        answer = await browser.request(method, path, json={"title": "Ash"})
        assert is_problem(answer, 404, "not-found")


@pytest.mark.parametrize(
    "title",
    ["t" * 200, "'; DROP TABLE note; --", "🔥\u2028\u202e<b>", "nul\0nul", "\n"],
    ids=["200", "SQL", "Unicode", "NUL", "newline"],
)
async def test_text_comes_back_as_it_was_written(resident: Person, title: str) -> None:
    note = await write(resident.browser, title, title * 3)

    read = json_of(await resident.browser.get(f"/notes/{note['id']}"))
    assert (read["title"], read["body"]) == (title, title * 3)


@pytest.mark.parametrize(
    ("body", "misfits"),
    [
        ({}, {"/title"}),
        ({"title": ""}, {"/title"}),
        ({"title": "t" * 201}, {"/title"}),
        ({"title": "t", "body": "b" * 10_001}, {"/body"}),
        ({"title": 1, "body": []}, {"/title", "/body"}),
        ({"title": "t", "user_id": "somebody", "id": 1}, {""}),
    ],
    ids=["nothing", "empty", "long title", "long body", "types", "not ours to set"],
)
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_what_is_no_note(
    resident: Person, method: str, body: dict[str, object], misfits: set[str]
) -> None:
    note = await write(resident.browser, "Mine")
    path = "/notes" if method == "POST" else f"/notes/{note['id']}"

    answer = await resident.browser.request(method, path, json=body)

    assert misfits_of(answer) == misfits
    assert json_of(await resident.browser.get(f"/notes/{note['id']}")) == note


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("HEAD", ""),
        ("PUT", ""),
        ("DELETE", ""),
        ("POST", ""),
        ("POST", "/delete"),
    ],
)
async def test_somebody_elses_note_is_not_there(
    person: Person, resident: Person, method: str, path: str
) -> None:
    note = await write(person.browser, "Mine", "alone")
    content = {"title": "Yours"}
    sent: dict[str, Any] = {"form": content} if method == "POST" else {"json": content}
    theirs = await resident.browser.request(method, f"/notes/{note['id']}{path}", **sent)
    nobodys = await resident.browser.request(method, f"/notes/{_UNKNOWN}{path}", **sent)

    assert theirs.status == 404
    assert (theirs.status, theirs.body) == (nobodys.status, nobodys.body)
    assert json_of(await person.browser.get(f"/notes/{note['id']}")) == note


@pytest.mark.parametrize(
    "id",
    ["0", "-1", "1.0", "1e3", "0x1", "x", "%31_000", "%D9%A3", "01", f"{2**53}", "9" * 400, "+1"],
)
async def test_what_names_no_note(resident: Person, id: str) -> None:
    assert (await resident.browser.get(f"/notes/{id}")).status in {400, 404, 422}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/notes"),
        ("POST", "/notes"),
        ("GET", "/notes/1"),
        ("PUT", "/notes/1"),
        ("DELETE", "/notes/1"),
        ("POST", "/notes/1"),
        ("POST", "/notes/1/delete"),
    ],
)
async def test_notes_are_for_who_is_signed_in(browser: Client, method: str, path: str) -> None:
    assert is_problem(await browser.request(method, path), 401, "unauthorized")


# --- The list ------------------------------------------------------------------------------------


async def pages(browser: Client, limit: int) -> list[list[int]]:
    """Return the ids on each page, from the first to the last."""
    found: list[list[int]] = []
    query = f"?limit={limit}"
    while query:
        page = json_of(await browser.get(f"/notes{query}"))
        found.append([note["id"] for note in page["notes"]])
        query = f"?limit={limit}&cursor={page['next']}" if page["next"] else ""
    return found


async def test_notes_are_listed_page_by_page(person: Person, stranger: Person) -> None:
    written = [(await write(person.browser, f"Note {number}"))["id"] for number in range(25)]
    await write(stranger.browser, "Not yours")

    by_ten = await pages(person.browser, 10)
    by_twenty_five = await pages(person.browser, 25)
    usual = json_of(await person.browser.get("/notes"))

    newest_first = sorted(written, reverse=True)
    assert [len(page) for page in by_ten] == [10, 10, 5]
    assert [id for page in by_ten for id in page] == newest_first
    assert by_twenty_five == [newest_first]
    assert [note["id"] for note in usual["notes"]] == newest_first[:20]
    assert usual["next"] == str(newest_first[19])


async def test_a_page_stays_where_it_is_while_notes_are_written(person: Person) -> None:
    first = [(await write(person.browser, f"Note {number}"))["id"] for number in range(3)]
    page = json_of(await person.browser.get("/notes?limit=2"))
    await write(person.browser, "Later")
    await person.browser.delete(f"/notes/{page['notes'][-1]['id']}")

    after = json_of(await person.browser.get(f"/notes?limit=2&cursor={page['next']}"))

    assert [note["id"] for note in after["notes"]] == first[:1]


async def test_an_empty_list(person: Person) -> None:
    assert json_of(await person.browser.get("/notes")) == {"notes": [], "next": None}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "query:limit"),
        ("limit=101", "query:limit"),
        ("limit=-1", "query:limit"),
        ("limit=x", "query:limit"),
        ("limit=1_0", "query:limit"),
        ("limit=%D9%A3", "query:limit"),
        ("limit=99999999999999999999", "query:limit"),
        ("cursor=x", "query:cursor"),
        ("cursor=1%0A", "query:cursor"),
        ("cursor=-1", "query:cursor"),
        ("cursor=9999999999999999", "query:cursor"),
    ],
)
async def test_what_is_no_page(resident: Person, query: str, parameter: str) -> None:
    assert misfits_of(await resident.browser.get(f"/notes?{query}")) == {parameter}
