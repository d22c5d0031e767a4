"""A path and a query are decoded once, strictly, and in time that grows with their length alone."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.paths import (
    FIELD_LIMIT,
    MalformedURL,
    decode_component,
    decode_path,
    parse_query,
    resolve_path,
)


@pytest.mark.parametrize(
    ("path", "decoded"),
    [
        ("/", "/"),
        ("/a/b", "/a/b"),
        ("/a%20b", "/a b"),
        ("/%C3%A9", "/é"),
        ("/é", "/é"),
        ("/%2541", "/%41"),
        ("/%F0%9F%94%A5", "/🔥"),
        ("/%EF%BC%8F", "/\uff0f"),
        ("/%E2%80%A8", "/\u2028"),
        ("/...", "/..."),
        ("/%2e%2e%2e", "/..."),
        ("//", "//"),
        ("/%3Fa%23b", "/?a#b"),
    ],
)
def test_a_path_is_decoded_once(path: str, decoded: str) -> None:
    assert decode_path(path) == decoded


@pytest.mark.parametrize(
    "path",
    [
        *("/%2F", "/%2f", "/%5c", "/a\\%20b"),
        *("/%00", "/%0a", "/%0D", "/%1f", "/%7F", "/a\x00", "/a\n", "/\x7f", "/é\n"),
        *("/%ff", "/%C3", "/%C3%28", "/%c0%af", "/%ED%A0%80", "/\ud800", "/%20\ud800"),
        *("/%", "/%2", "/%zz", "/%u0041", "/%%20", "/% 20", "/%+1", "/%\u06611"),
        *("/%2e", "/%2E%2e", "/a/.%2e/b", "/%2e./b"),
    ],
    ids=ascii,
)
def test_a_path_that_hides_something_is_malformed(path: str) -> None:
    with pytest.raises(MalformedURL):
        decode_path(path)


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\\"))))
def test_any_other_text_comes_through(segments: list[str]) -> None:
    kept = [segment for segment in segments if segment not in {".", ".."}]

    assert decode_path("/" + "/".join(quote(s, safe="") for s in kept)) == "/" + "/".join(kept)


@given(st.text())
def test_decoding_gives_text_without_controls_or_refuses(path: str) -> None:
    try:
        decoded = decode_path("/" + path)
    except MalformedURL:
        return

    assert decoded.count("/") == path.count("/") + 1
    assert not any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) <= 0xDFFF for c in decoded)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("", {}),
        ("a=1", {"a": ["1"]}),
        ("a=1&a=2&b=3&a=1", {"a": ["1", "2", "1"], "b": ["3"]}),
        ("a", {"a": [""]}),
        ("a=", {"a": [""]}),
        ("=1", {"": ["1"]}),
        ("=", {"": [""]}),
        ("&&&a=1&&", {"a": ["1"]}),
        ("&&=&=&", {"": ["", ""]}),
        ("a=b=c", {"a": ["b=c"]}),
        ("a;b=1;c=2", {"a;b": ["1;c=2"]}),
        ("a+b=c+d", {"a b": ["c d"]}),
        ("a%2Bb=c%2Bd", {"a+b": ["c+d"]}),
        ("a%26b=%3D", {"a&b": ["="]}),
        ("%C3%A9=%C3%A9", {"é": ["é"]}),
        ("é=é", {"é": ["é"]}),
        ("a=%2541", {"a": ["%41"]}),
        ("a=%00%0a", {"a": ["\x00\n"]}),
        ("a[b][c]=1", {"a[b][c]": ["1"]}),
        ("__proto__=1", {"__proto__": ["1"]}),
        ("a=?#/", {"a": ["?#/"]}),
    ],
)
def test_a_query_gives_each_field_all_its_values(query: str, fields: dict[str, list[str]]) -> None:
    assert parse_query(query) == fields


@pytest.mark.parametrize(
    "query",
    ["a=%", "a=%zz", "%ff=1", "a=%ed%a0%80", "a=1&b=%c3&c=2", "%u1", "a=\ud800", "\udfff%20=1"],
)
def test_a_malformed_query_is_refused_whole(query: str) -> None:
    with pytest.raises(MalformedURL):
        parse_query(query)


@pytest.mark.parametrize(
    "query",
    ["&".join(["a=1"] * (FIELD_LIMIT + 1)), "&" * FIELD_LIMIT, "a&" * 1_000_000],
    ids=["fields", "ampersands", "a million"],
)
def test_too_many_fields_are_refused(query: str) -> None:
    with pytest.raises(MalformedURL, match="more than 1000 fields"):
        parse_query(query)


def test_as_many_fields_as_the_limit_are_read() -> None:
    fields = parse_query("&".join(f"f{n}={n}" for n in range(FIELD_LIMIT)))

    assert len(fields) == FIELD_LIMIT


def test_an_error_does_not_repeat_what_was_sent() -> None:
    for text in ("CANARY%zz", "CANARY%ff", "CANARY\ud800"):
        with pytest.raises(MalformedURL) as refused:
            decode_component(text)
        assert "CANARY" not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "resolved"),
    [
        ("/a/b", "/a/b"),
        ("/", "/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/..", "/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/.%2e/%2E/b", "/b"),
        ("/a/%2e%2e", "/"),
        ("/a\\b", "/a/b"),
        ("/a\\..\\b", "/b"),
        ("/\\evil.com", "//evil.com"),
        ("/a//../b", "/a/b"),
        ("/a/..//b", "//b"),
        ("/.a/..b", "/.a/..b"),
        ("/a/...", "/a/..."),
        ("/%252e%252e/b", "/%252e%252e/b"),
        ("/a/%2f..", "/a/%2f.."),
        ("/a/..;/b", "/a/..;/b"),
    ],
)
def test_dot_segments_are_resolved_as_a_browser_does(path: str, resolved: str) -> None:
    assert resolve_path(path) == resolved
    assert resolve_path(resolved) == resolved


@pytest.mark.parametrize("unit", ["%41", "%C3%A9", "/..", "/%2e%2e", "\\", "/", "a/"])
def test_a_long_path_is_read_in_pieces_not_in_squares(unit: str) -> None:
    short, long = unit * 1_000, unit * 100_000

    for path in ("/" + short, "/" + long):
        resolved = resolve_path(path)
        assert len(decode_path(resolved)) <= len(path)
