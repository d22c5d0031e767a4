"""What is wrong in wrangler.toml is one line that names the file, the table and what to write there."""

import json
from pathlib import Path
from typing import Any

import pytest

from framework.cli import main
from framework.local.configuration import WranglerError, notes_on_files, read_configuration
from framework.local.stage import StageError, stage

ROOT = Path(__file__).parents[2]

D1 = '[[d1_databases]]\nbinding = "DB"\n'
RATE = '[[ratelimits]]\nname = "L"\nsimple = '

WRONG = [
    # --- what is no TOML, or no text
    ("vars =", "can't be read: Invalid value"),
    ("vars = {}\nvars = {}", "can't be read: Cannot overwrite a value"),
    (b"\xff", "can't be read: 'utf-8' codec can't decode byte 0xff in position 0"),
    ("a = " + "[" * 100_000, "can't be read: "),
    # --- a key that is meant for another
    ('[[d1_database]]\nbinding = "DB"', "[[d1_database]] is not read: write [[d1_databases]]"),
    ('[[d1_databses]]\nbinding = "DB"', "[[d1_databses]] is not read: write [[d1_databases]]"),
    ("[D1-Databases]", "[D1-Databases] is not read: write [[d1_databases]]"),
    ("[var]", "[var] is not read: write [vars]"),
    ("Vars = 5", "Vars is not read: write [vars]"),
    ("[[rate_limits]]", "[[rate_limits]] is not read: write [[ratelimits]]"),
    ("[trigger]", "[trigger] is not read: write [triggers]"),
    ("[[queue.consumers]]", "[queue] is not read: write [queues]"),
    ("[[send_emails]]", "[[send_emails]] is not read: write [[send_email]]"),
    ("[envs.staging]", "[envs] is not read: write [env]"),
    ('[[r2_bucket]]\nbinding = "B"', "[[r2_bucket]] is not read: write [[r2_buckets]]"),
    ("[[kv-namespaces]]", "[[kv-namespaces]] is not read: write [[kv_namespaces]]"),
    (
        "[[env.staging.service]]",
        "[[env.staging.service]] is not read: write [[env.staging.services]]",
    ),
    ("[observabilty]", "[observabilty] is not read: write [observability]"),
    ("preview_url = false", "preview_url is not read: write preview_urls"),
    ("compatibility_flag = []", "compatibility_flag is not read: write compatibility_flags"),
    (
        '[[d1_databases]]\nbindng = "DB"',
        "[[d1_databases]] has bindng, which is not read: write binding",
    ),
    (
        f'{D1}Binding = "OTHER"',
        "[[d1_databases]] has Binding, which is not read: write binding",
    ),
    ("[triggers]\ncron = []", "[triggers] has cron, which is not read: write crons"),
    ("[queues]\nconsumer = []", "[queues] has consumer, which is not read: write consumers"),
    # --- databases
    (
        'd1_databases = "x"',
        "d1_databases is no list of tables: write [[d1_databases]] with binding =",
    ),
    ("[d1_databases]", "d1_databases is no list of tables: write [[d1_databases]] with binding ="),
    ("d1_databases = [5]", "d1_databases is no list of tables"),
    ("[[d1_databases]]", '[[d1_databases]] has no binding: write binding = "DB"'),
    (D1 + "[[d1_databases]]", '[[d1_databases]] number 2 has no binding: write binding = "DB"'),
    ("[[d1_databases]]\nbinding = 5", "[[d1_databases]] binding does not fit: write binding ="),
    ('[[d1_databases]]\nbinding = ""', "[[d1_databases]] binding does not fit"),
    ('[[d1_databases]]\nbinding = "../../x"', "[[d1_databases]] binding does not fit"),
    ('[[d1_databases]]\nbinding = "Ü"', "[[d1_databases]] binding does not fit"),
    (D1 + D1, '[[d1_databases]] number 2 binding is "DB", which is taken already: give it another'),
    # --- variables
    ("vars = 5", 'vars is no table: write [vars] with NAME = "value"'),
    ("[[vars]]", 'vars is no table: write [vars] with NAME = "value"'),
    # --- crons
    (
        '[triggers]\ncrons = "* * * * *"',
        '[triggers] crons is no list of schedules: write crons = ["* * * * *"]',
    ),
    (
        "[triggers]\ncrons = [5]",
        '[triggers] crons is no list of schedules: write crons = ["17 3 * * *"]',
    ),
    ("[triggers]\ncrons = {}", "[triggers] crons is no list of schedules"),
    ('triggers = ["* * * * *"]', "triggers is no table: write [triggers] with crons = ["),
    # --- rate limits
    ("[[ratelimits]]", '[[ratelimits]] has no name: write name = "LIMITER"'),
    ('[[ratelimits]]\nname = "L"', "[[ratelimits]] has no simple: write simple = { limit ="),
    (RATE + "5", "[[ratelimits]] simple does not fit: write simple = { limit ="),
    (RATE + "{ limit = 5 }", "[[ratelimits]] simple does not fit"),
    (RATE + "{ limit = 5, period = 30 }", "[[ratelimits]] simple does not fit"),
    (RATE + '{ limit = "5", period = 10 }', "[[ratelimits]] simple does not fit"),
    (RATE + "{ limit = true, period = 10 }", "[[ratelimits]] simple does not fit"),
    (RATE + "{ limit = 5, period = [] }", "[[ratelimits]] simple does not fit"),
    ('ratelimits = ["L"]', "ratelimits is no list of tables: write [[ratelimits]] with name ="),
    # --- mail and queues
    ("[[send_email]]", '[[send_email]] has no name: write name = "EMAIL"'),
    ("send_email = true", "send_email is no list of tables: write [[send_email]]"),
    ("[[queues]]", "queues is no table: write [[queues.consumers]] with queue ="),
    ("[queues.consumers]", "queues.consumers is no list of tables: write [[queues.consumers]]"),
    ("[[queues.consumers]]", '[[queues.consumers]] has no queue: write queue = "mails"'),
    ("[[queues.producers]]\nqueue = 'a'", "[[queues.producers]] has no binding: write binding ="),
    # --- environments
    ("env = 5", "env is no table: write [env.NAME.vars]"),
    ("env.staging = 5", "env.staging is no table: write [env.staging.vars]"),
    ("env.staging.vars = 5", "env.staging.vars is no table: write [env.staging.vars]"),
    (
        "[[env.staging.d1_database]]",
        "[[env.staging.d1_database]] is not read: write [[env.staging.d1_databases]]",
    ),
    ('env.staging.triggers.crons = "x"', "[env.staging.triggers] crons is no list of schedules"),
    ("[[env.staging.d1_databases]]", "[[env.staging.d1_databases]] has no binding"),
]


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said[:60] for _, said in WRONG])
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    content = text.encode() if isinstance(text, str) else text
    (tmp_path / "wrangler.toml").write_bytes(content)

    with pytest.raises(WranglerError) as caught:
        read_configuration(tmp_path)

    message = str(caught.value)
    assert said in message
    assert message.startswith("wrangler.toml")
    assert "\n" not in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        D1,
        D1 + '[[d1_databases]]\nbinding = "LOGS"\ndatabase_id = "x"\n',
        "[vars]\nvar = 1\nbindng = []\nD1_DATABASE = {}",
        "[triggers]\ncrons = []",
        RATE + '{ limit = 5, period = 10 }\n[[send_email]]\nname = "EMAIL"',
        '[[queues.consumers]]\nqueue = "a"\n[[queues.producers]]\nqueue = "a"\nbinding = "A"',
        '[env.var]\nname = "x"\n[env.d1_database.vars]\nA = 1',
        "env." + ".".join(["env"] * 900) + " = 1",  # Python 3.14 takes no more than 1,000
    ],
)
def test_what_is_right_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "wrangler.toml").write_text(text, "utf-8")

    assert isinstance(read_configuration(tmp_path), dict)


def test_where_there_is_no_file_nothing_is_read(tmp_path: Path) -> None:
    (tmp_path / "wrangler.jsonc").write_text("{}")

    assert read_configuration(tmp_path) is None


def test_no_key_that_wrangler_knows_is_taken_for_another(tmp_path: Path) -> None:
    schema = json.loads((ROOT / "node_modules/wrangler/config-schema.json").read_text("utf-8"))
    known = schema["definitions"]["RawConfig"]["properties"]
    entries: dict[str, dict[str, Any]] = {
        "d1_databases": {"binding": "A"},
        "ratelimits": {"name": "B", "simple": {"limit": 1, "period": 10}},
        "send_email": {"name": "C"},
    }
    text = "".join(f"{json.dumps(key)} = 1\n" for key in known if key not in {*entries, *TABLES})
    for name, entry in entries.items():
        others = known[name]["items"]["properties"].keys() - entry.keys()
        text += f"[[{name}]]\n" + lines({**entry, **dict.fromkeys(others, 1)})
    for name in ("producers", "consumers"):
        others = known["queues"]["properties"][name]["items"]["properties"].keys()
        text += f"[[queues.{name}]]\n" + lines(
            {**dict.fromkeys(others, 1), "queue": "q", "binding": "D"}
        )
    text += "[triggers]\n" + lines(
        dict.fromkeys(known["triggers"]["properties"].keys() - {"crons"}, 1)
    )
    (tmp_path / "wrangler.toml").write_text(text)

    assert read_configuration(tmp_path)


TABLES = {"vars", "triggers", "queues", "env"}


def lines(table: dict[str, Any]) -> str:
    """Return *table* as TOML, a line a key."""
    return "".join(f"{key} = {toml(value)}\n" for key, value in table.items())


def toml(value: Any) -> str:
    """Return *value*, a number, a text or a flat table, as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], []),
        (["wrangler.toml"], []),
        (["wrangler.jsonc"], ["wrangler reads wrangler.jsonc "]),
        (["wrangler.json", "wrangler.jsonc", "wrangler.toml"], ["wrangler reads wrangler.json "]),
    ],
)
def test_a_file_that_wrangler_reads_first_is_found(
    tmp_path: Path, names: list[str], found: list[str]
) -> None:
    for name in names:
        (tmp_path / name).touch()

    notes = notes_on_files(tmp_path)
    assert [note.partition("before")[0] for note in notes] == found


# --- Every command says it -----------------------------------------------------------------------


@pytest.mark.parametrize("command", ["build", "check"])
def test_a_wrong_file_keeps_the_app_from_being_staged(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
) -> None:
    (tmp_path / "wrangler.toml").write_text("vars = 5")
    (tmp_path / "build/worker").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)

    assert main([command]) == 1

    said = 'wrangler.toml: vars is no table: write [vars] with NAME = "value"'
    assert capsys.readouterr().err == f"kagari {command}: {said}\n"
    assert not (tmp_path / "build/worker").exists()
    with pytest.raises(StageError, match="vars is no table"):
        stage(tmp_path)


def test_a_byte_order_mark_is_passed_over_as_wrangler_does(tmp_path: Path) -> None:
    (tmp_path / "wrangler.toml").write_bytes(b'\xef\xbb\xbfname = "notes"\r\n')

    assert read_configuration(tmp_path) == {"name": "notes"}
    note = "wrangler.toml has a byte order mark, which stops pywrangler: save it without one"
    assert notes_on_files(tmp_path) == [note]
