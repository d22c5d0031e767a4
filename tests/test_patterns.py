"""What a path pattern stands for. What the grammar refuses is in test_router.py, with its place."""

import pytest

from framework.patterns import Kind, parse_pattern


def short(path: str) -> list[str]:
    return [
        "/".join(
            f"{segment.kind.name}:{segment.text}" + (f"~{segment.regex}" if segment.regex else "")
            for segment in pattern
        )
        for pattern in parse_pattern(path)
    ]


@pytest.mark.parametrize(
    ("path", "patterns"),
    [
        ("/", ["LITERAL:"]),
        ("/a", ["LITERAL:a"]),
        ("/a/", ["LITERAL:a/LITERAL:"]),
        ("/%61%20", ["LITERAL:a "]),
        ("/v:x", ["LITERAL:v:x"]),
        ("/a?b", ["LITERAL:a?b"]),
        ("/:a", ["NAMED:a"]),
        ("/:A_1", ["NAMED:A_1"]),
        ("/:a{[0-9]+}", ["CONSTRAINED:a~[0-9]+"]),
        ("/:a{[0-9]{2,3}}", ["CONSTRAINED:a~[0-9]{2,3}"]),
        ("/:a{x{1}y{2}}", ["CONSTRAINED:a~x{1}y{2}"]),
        ("/:a{.+}", ["REST:a~.+"]),
        ("/:a{.+}/b", ["CONSTRAINED:a~.+/LITERAL:b"]),
        ("/:a{b/c}", ["REST:a~b/c"]),
        ("/*", ["STAR_REST:*"]),
        ("/*/", ["STAR:*/LITERAL:"]),
        ("/a/*/b/*", ["LITERAL:a/STAR:*/LITERAL:b/STAR_REST:*"]),
        ("/:a?", ["NAMED:a", "LITERAL:"]),
        ("/a/:b?", ["LITERAL:a/NAMED:b", "LITERAL:a"]),
        ("/a/:b?/c", ["LITERAL:a/NAMED:b/LITERAL:c", "LITERAL:a/LITERAL:c"]),
        ("/a/:b{[0-9]}?", ["LITERAL:a/CONSTRAINED:b~[0-9]", "LITERAL:a"]),
        ("/:a?/:b?", ["NAMED:a/NAMED:b", "NAMED:a", "LITERAL:"]),
    ],
)
def test_a_path_stands_for_its_patterns(path: str, patterns: list[str]) -> None:
    assert short(path) == patterns


@pytest.mark.parametrize(
    ("regex", "kind"),
    [
        ("[0-9]+", Kind.CONSTRAINED),
        (r"\d+", Kind.CONSTRAINED),
        (r"\w+", Kind.CONSTRAINED),
        (r"[\w.-]+", Kind.CONSTRAINED),
        ("[^/]+", Kind.CONSTRAINED),
        (r"[^\W]+", Kind.CONSTRAINED),
        ("a|b|(c|d)", Kind.CONSTRAINED),
        ("(?:a(?P<x>b))*", Kind.CONSTRAINED),
        ("(?=a)b", Kind.CONSTRAINED),
        ("(?>a+)b", Kind.CONSTRAINED),
        ("a{2}", Kind.CONSTRAINED),
        ("0-9", Kind.CONSTRAINED),
        ("[0-~]", Kind.CONSTRAINED),
        (".+", Kind.REST),
        ("a/b", Kind.REST),
        ("[/a]", Kind.REST),
        ("[!-~]", Kind.REST),
        ("[^a]", Kind.REST),
        (r"[^\w]", Kind.REST),
        (r"\W", Kind.REST),
        (r"\D", Kind.REST),
        (r"\S", Kind.REST),
        (r"[\S]", Kind.REST),
        (r"\x2f", Kind.REST),
        ("(a|(b|/))", Kind.REST),
        ("(?:a|.)?", Kind.REST),
        ("(?>.)", Kind.REST),
        ("(?:.)++", Kind.REST),
        (r"(a)\1", Kind.REST),
        ("(a)?(?(1)b|/)", Kind.REST),
    ],
)
def test_a_regex_at_the_end_takes_slashes_where_it_can_match_one(regex: str, kind: Kind) -> None:
    ((segment,),) = parse_pattern(f"/:a{{{regex}}}")

    assert segment.kind is kind
