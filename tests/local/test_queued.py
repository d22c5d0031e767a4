"""What a queue would make `{}` of is found where it is made, and nothing that it takes."""

from pathlib import Path
from typing import Any

import pytest

from framework.local.deployments import bound_anywhere
from framework.local.program import modules
from framework.local.queued import find_queued
from framework.local.scope import scopes_of
from tests.local.correct_programs import HANDLER
from tests.local.imported_app import LINES, import_app

TOP = (
    "from datetime import UTC, date, datetime\nfrom decimal import Decimal\nfrom typing import Any\n"
    "import msgspec\nclass Mail(msgspec.Struct):\n to: str\n"
    "class Bound(Bindings):\n MAILS: Any\n EMAIL: Any\n"
)
SEND = HANDLER.format("await c.env['MAILS'].send({})")


def found(patch: pytest.MonkeyPatch, folder: Path, source: str) -> list[str]:
    app = import_app(patch, folder, source)
    return find_queued(scopes_of(modules(folder), app), {"MAILS"})


@pytest.mark.parametrize(
    ("source", "made"),
    [
        (SEND.format("Mail('ada')"), "Mail"),
        (SEND.format("{'mails': [Mail('ada')]}"), "Mail"),
        (SEND.format("{'price': Decimal('1.5')}"), "Decimal"),
        (SEND.format("[date(2026, 1, 1)]"), "date"),
        (HANDLER.format("mail = Mail('ada')\n await c.env['MAILS'].send(mail)"), "Mail"),
        ("async def send(bound: Bound):\n await bound.MAILS.send(Mail('ada'))", "Mail"),
        (
            HANDLER.format("await c.bindings(Bound).MAILS.send(Mail('ada'), delaySeconds=5)"),
            "Mail",
        ),
    ],
)
def test_what_arrives_as_nothing_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, made: str
) -> None:
    line = LINES + TOP.count("\n") + source[: source.index(f"{made}(")].count("\n") + 1

    assert found(monkeypatch, tmp_path, TOP + source) == [
        f"app.py:{line}: {made}(...) is no JSON, and arrives as {{}}: send msgspec.to_builtins(...) of it"
    ]


@pytest.mark.parametrize(
    "source",
    [
        SEND.format("msgspec.to_builtins(Mail('ada'))"),
        SEND.format("{'price': str(Decimal('1.5')), 'at': datetime.now(UTC)}"),
        SEND.format("{'to': Mail('ada').to}"),
        HANDLER.format("await c.env['EMAIL'].send(Mail('ada'))"),
        HANDLER.format("await c.env['MAILS'].other(Mail('ada'))"),
        HANDLER.format("mails = {'MAILS': c}\n mails['MAILS'].send(Mail('ada'))"),
        "async def send(bound: Bound):\n await bound.EMAIL.send(Mail('ada'))",
        "async def send(bound):\n await bound.MAILS.send(Mail('ada'))",
        HANDLER.format("mail = Mail('ada')\n mail = 'ada'\n await c.env['MAILS'].send(mail)"),
    ],
)
def test_what_may_be_meant_is_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    assert found(monkeypatch, tmp_path, TOP + source) == []


def test_the_queues_of_environments_count() -> None:
    queues = {"producers": [{"binding": "MAILS", "queue": "mails"}, 5]}

    def bound(settings: dict[str, Any]) -> list[str]:
        return bound_anywhere(settings, "producers", "queues")

    assert bound({"queues": queues, "env": {"a": {"queues": {"producers": 5}}}}) == ["MAILS"]
    assert bound({"env": {"a": {"queues": queues}}}) == ["MAILS"]
    assert bound({}) == []
