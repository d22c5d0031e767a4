"""`.dev.vars` says the same to the local server as to wrangler, whose own source is asked here."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from framework.local.environment import EnvironmentProblem, make_environment
from tests.test_upload import ROOT, find_node

SOURCE = ROOT / "node_modules" / "wrangler" / "wrangler-dist" / "cli.js"

FILES = {
    "plain": ("A=a\nB = b \nexport C=c\n\tD=d", {"A": "a", "B": "b", "C": "c", "D": "d"}),
    "names": ("a.b-c_1=x\n2=y\nexport=z", {"a.b-c_1": "x", "2": "y", "export": "z"}),
    "the last counts": ("A=a\nA=b", {"A": "b"}),
    "nothing": ("", {}),
    "no value": ("A=\nB=''\nC= # c\nD=d", {"A": "", "B": "", "C": "", "D": "d"}),
    "value on the next line": ("A=\n'a'\nB:\nC=c", {"A": "a", "B": "C=c"}),
    "colon": ("A: a\nB:  'b'", {"A": "a", "B": "b"}),
    "comments": ("# A=a\n  # it's\nB=b # c\nC=c#d\n#\n", {"B": "b", "C": "c"}),
    "blank lines": ("\ufeff\n \t\n# c\n  \nA=a\n\t", {"A": "a"}),
    "# in quotes": ("A='a # b' # c\nB=\"a#b\"\nC=`#`", {"A": "a # b", "B": "a#b", "C": "#"}),
    "= and : in a value": ("A=a=b\nB=http://c?d=e\nC=d: e", {"A": "a=b", "B": "http://c?d=e", "C": "d: e"}),
    "quotes": ("A=\"a b\"\nB='a\"b'\nC=`a'b`\nD=a'b", {"A": "a b", "B": 'a"b', "C": "a'b", "D": "a'b"}),
    "escapes": (
        r"""A="a\nb\r\tc"
B='a\nb'
C=a\nb
D="say \"a\""
E='it\'s'
F=`a\nb`""",
        {
            "A": "a\nb\r\\tc",
            "B": r"a\nb",
            "C": r"a\nb",
            "D": r"say \"a\"",
            "E": r"it\'s",
            "F": r"a\nb",
        },
    ),
    "several lines": (
        "A=\"-----BEGIN\n\n# a = b\n-----END\" # c\nB='\nb'",
        {"A": "-----BEGIN\n\n# a = b\n-----END", "B": "\nb"},
    ),
    "quotes that do not end": ("A=\"a\nB='b # c\nC=c'", {"A": '"a', "B": "b # c\nC=c"}),
    "after quotes": ("A=\"a\" b\nB='a' 'b'\nC=\"a\\nb\" c", {"A": '"a" b', "B": "a' 'b", "C": '"a\nb" c'}),
    "JSON": ('A={"a": [1, "b"]}\nB=\'{"a": "#"}\'', {"A": '{"a": [1, "b"]}', "B": '{"a": "#"}'}),
    "ends of lines": ("A=a\r\nB='b\r\nc'\r\n\r\nD=d\rE=e", {"A": "a", "B": "b\nc", "D": "d", "E": "e"}),
    "other characters": ("\ufeffA=é 👩‍🚀\nB=$A ${A}\n", {"A": "é 👩‍🚀", "B": "$A ${A}"}),
}  # fmt: skip


def read(root: Path, text: str) -> dict[str, object]:
    (root / "wrangler.toml").touch()
    (root / ".dev.vars").write_bytes(text.encode())
    env, _ = make_environment(root, root / "dev.sqlite3")
    del env["EMAIL"]
    return dict(env)


@pytest.mark.parametrize("name", FILES)
def test_what_is_read(tmp_path: Path, name: str) -> None:
    text, variables = FILES[name]

    assert read(tmp_path, text) == variables


def test_wrangler_reads_the_same() -> None:
    found = re.search(
        r"var LINE = .*?function (\w+)\(src\) \{.*?\n    \}\n", SOURCE.read_text("utf-8"), re.DOTALL
    )
    assert found
    program = (
        f"{found[0]}; const texts = JSON.parse(require('fs').readFileSync(0, 'utf-8'));"
        f"console.log(JSON.stringify(texts.map({found[1]})))"
    )
    ran = subprocess.run(
        [find_node(), "-e", program],
        input=json.dumps([text for text, _ in FILES.values()]),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert dict(zip(FILES, json.loads(ran.stdout), strict=True)) == {
        name: variables for name, (_, variables) in FILES.items()
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A", 1),
        ("A=a\nBROKEN 5ec7e7\nC=c", 2),
        ("A='a\n\nb' # c\n\nexport B", 5),
        ("A=\"a\n5ec7e7\n", 2),  # no closing quote
        ("A:5ec7e7", 1),
        ("=5ec7e7", 1),
        ("A B=5ec7e7", 1),
        ("É=5ec7e7", 1),
        ("A='a'\n\r\n'", 3),
    ],
)  # fmt: skip
def test_a_line_that_is_no_variable_is_named_and_not_shown(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(EnvironmentProblem, match=f"^.dev.vars:{line}: write NAME=value") as caught:
        read(tmp_path, text)

    assert "5ec7e7" not in str(caught.value)
