"""What an app written as for another framework is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from framework.local import import_check
from framework.local.advice import ADVICE
from framework.local.loading import LoadError, load_app

TOP = "from framework import App, Query, Router, Slot, public\nfrom framework.middleware.cors import cors\n\n"
WRITTEN = [
    ("@app.get('/', guard=public, status_code=201)\nasync def show(): ...", "Response.json"),
    ("@app.get('/', dependencies=[public])\nasync def show(): ...", "guard=..."),
    ("@app.get('/', guard=public, tags=['a'])\nasync def show(): ...", "prefix"),
    ("App(title='a')", "kagari openapi"),
    ("app.use(cors(allow_origins=['*']))", "cors([...]"),
    ("app.include_router(Router('/a'))", "app.mount(router)"),
    ("app.mount('/a', Router())", 'Router("/prefix")'),
    ("@App.get('/', guard=public)\nasync def show(): ...", "app = App()"),
    ("@app.route('/')\nasync def show(): ...", "@app.get("),
    ("app.add_middleware(object)", "app.use(layer)"),
    ("@app.middleware('http')\nasync def layer(c, call_next): ...", "app.use(layer)"),
    ("@app.exception_handler(ValueError)\nasync def show(): ...", "@app.on_error"),
    ("app.config['KEY'] = 1", "Bindings"),
    ("@app.on_event('startup')\nasync def show(): ...", "start-up"),
    ("@app.scheduled('17 3 * * *')\nasync def show(): ...", "@app.cron("),
    ("@app.websocket('/')\nasync def show(): ...", "Durable Object"),
    ("Slot('a')", 'Slot("name", Class)'),
    ("async def show(limit: int = Query(20)): ...", "Query[int] = 20"),
]


@pytest.mark.parametrize(("written", "advice"), WRITTEN)
def test_what_another_framework_has_is_told_what_to_write(
    written: str, advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"advised_{WRITTEN.index((written, advice))}"
    (tmp_path / f"{name}.py").write_text(f"{TOP}app = App()\n{written}\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LoadError) as caught:
        load_app(f"{name}:app", tmp_path)

    message = str(caught.value)
    assert message.startswith(f"{name}.py:5: ")
    assert advice in message


@pytest.mark.parametrize("name", ["tags", "title", "auth", "allow_all"])
def test_nothing_is_said_of_what_a_function_of_the_app_is_called_with(
    name: str, tmp_path: Path
) -> None:
    (tmp_path / f"own_{name}.py").write_text(f"def page(): ...\n\napp = page({name}=1)\n")

    with pytest.raises(LoadError) as caught:
        load_app(f"own_{name}:app", tmp_path)

    assert str(caught.value).endswith(f"unexpected keyword argument '{name}'")


def test_each_piece_of_advice_is_asked_for() -> None:
    assert len(WRITTEN) == len(ADVICE)


def test_the_build_says_it_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("class App: ...\n\napp = App()\napp.include_router(1)\n")

    command = [sys.executable, import_check.__file__, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (
        done.stderr.splitlines()[-1] == 'write app.mount(router); its prefix is Router("/prefix")'
    )
