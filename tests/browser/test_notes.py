"""Writing notes, and finding them again."""

from tests.browser.browser import Browser
from tests.browser.people import Account, sql
from tests.e2e.service import Service

MARKUP = "<script>document.title = 'ran'</script> & <b>bold</b> \"quoted\" 🔥 篝火"

_WRITE = (
    "INSERT INTO note (user_id, title, body, created_at, updated_at)"
    " SELECT user.id, 'Note ' || value, '', 0, 0 FROM user, json_each(?2)"
    " WHERE username = ?1 ORDER BY value"
)


def test_what_is_written_is_shown_as_text(browser: Browser, member: Account) -> None:
    browser.submit("Add the note", {"Title": MARKUP, "Text": f"\n{MARKUP}\n</textarea>\n"})

    assert MARKUP in browser.links
    assert browser.title == "Home · Kagari"

    browser.follow(MARKUP)
    form = browser.form("Save")
    assert browser.title == f"{MARKUP} · Kagari"
    assert browser.text_of(browser.find("//h2")) == MARKUP
    assert browser.value_of(browser.field(form, "Title")) == MARKUP
    assert browser.value_of(browser.field(form, "Text")) == f"\n{MARKUP}\n</textarea>\n"
    assert browser.find_all("//main//script | //main//b") == []


def test_what_is_written_from_right_to_left_begins_at_the_right(
    browser: Browser, member: Account
) -> None:
    title = "\u0634\u0645\u0627 12 (abc)"  # Arabic, then Latin

    browser.submit("Add the note", {"Title": title})
    assert _first_before_last(browser, "li a") < 0
    browser.follow(title)

    assert _first_before_last(browser, "h2") < 0


def _first_before_last(browser: Browser, selector: str) -> float:
    """Return how far the first character of what is there stands to the left of the last."""
    place = """
const text = document.querySelector(arguments[0]).firstChild, range = document.createRange();
const left = (at) => {
  range.setStart(text, at);
  range.setEnd(text, at + 1);
  return range.getBoundingClientRect().left;
};
return left(text.length - 1) - left(0);
"""
    return float(browser.session.script(place, selector))


def test_changing_a_note(browser: Browser, member: Account) -> None:
    browser.submit("Add the note", {"Title": "Fire", "Text": "On the hill"})

    browser.follow("Fire")
    browser.submit("Save", {"Title": "Smoke", "Text": "one\ntwo"})

    assert browser.title == "Smoke · Kagari"
    browser.submit("Save", {})  # as it stands, twice: nothing is added to it
    assert browser.value_of(browser.field(browser.form("Save"), "Text")) == "one\ntwo"
    browser.follow("All notes")
    assert (notes_on(browser), browser.path) == (["Smoke"], "/notes")


def test_a_note_has_to_have_a_title(browser: Browser, member: Account) -> None:
    form = browser.form("Add the note")
    browser.fill(form, "Text", "of nothing")

    browser.click_to_no_avail(form, "Add the note")

    assert notes_on(browser) == []


def test_paging_through_older_notes(browser: Browser, member: Account, service: Service) -> None:
    sql(service, _WRITE, member.username, str([*range(1, 24)]))
    newest_first = [f"Note {number}" for number in range(25, 0, -1)]

    browser.submit("Add the note", {"Title": "Note 24"})
    browser.submit("Add the note", {"Title": "Note 25"})
    assert notes_on(browser) == newest_first[:10]
    browser.follow("Older notes")
    assert notes_on(browser) == newest_first[10:]
    assert "Older notes" not in browser.links

    browser.open("/notes")
    assert notes_on(browser) == newest_first[:20]
    browser.follow("Older notes")
    assert notes_on(browser) == newest_first[20:]
    browser.back()
    assert notes_on(browser) == newest_first[:20]
    browser.follow("Kagari")
    assert notes_on(browser) == newest_first[:10]


def test_a_note_that_is_too_long_is_not_lost(browser: Browser, member: Account) -> None:
    browser.submit("Add the note", {"Title": MARKUP, "Text": "x" * 10_001}, status=422)

    field = browser.field(browser.form("Add the note"), "Text")
    assert "Expected at most 10000 characters." in browser.text
    assert browser.value_of(field) == "x" * 10_001
    browser.submit("Add the note", {"Text": "short"})
    browser.follow(MARKUP)
    browser.submit("Save", {"Text": "y" * 10_001}, status=422)
    browser.submit("Save", {"Text": "shorter"})
    assert browser.value_of(browser.field(browser.form("Save"), "Text")) == "shorter"
    assert browser.title == f"{MARKUP} · Kagari"


def test_a_note_without_a_visible_title_can_be_opened(browser: Browser, member: Account) -> None:
    browser.submit("Add the note", {"Title": "  ", "Text": "Fire"})

    browser.follow("Untitled")

    assert browser.value_of(browser.field(browser.form("Save"), "Text")) == "Fire"


def test_deleting_a_note_leaves_the_others(browser: Browser, member: Account) -> None:
    for title in ("First", "Second", "Third"):
        browser.submit("Add the note", {"Title": title})

    browser.submit("Delete", within="Second")
    assert notes_on(browser) == ["Third", "First"]

    browser.follow("First")
    gone = browser.path
    browser.submit("Delete")
    assert notes_on(browser) == ["Third"]
    browser.open(gone, status=404)
    browser.follow("Back to the start")


def test_somebody_elses_note_does_not_exist(
    browser: Browser, member: Account, phone: Browser, account: Account
) -> None:
    browser.submit("Add the note", {"Title": "Mine"})
    browser.follow("Mine")
    stranger = Account(username=f"{account.username}-2", password=account.password)

    stranger.sign_up(phone)
    phone.open(browser.path, status=404)

    assert "Mine" not in phone.text


def notes_on(browser: Browser) -> list[str]:
    """Return the titles of the notes that are listed, from the top."""
    links = browser.find_all("//li/a[starts-with(@href, '/notes/')]")
    return [browser.text_of(link) for link in links]
