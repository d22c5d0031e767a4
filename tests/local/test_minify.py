"""A lean stage does what the sources do, line by line, and holds what the app imports alone."""

import ast
import json
import shutil
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from framework.local.minify import drop_unread, minify, minify_source
from framework.local.prune import drop_unused_modules

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "framework").rglob("*.py"), *(ROOT / "routes").rglob("*.py")])


class WithoutNotes(ast.NodeTransformer):
    """Takes out strings that stand alone as statements, overloads, what a Protocol asks for, and annotations
    that nothing reads."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST | None:
        is_overload = "overload" in map(ast.unparse, node.decorator_list)
        return None if is_overload else self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Pass(self, _node: ast.Pass) -> None:
        return None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        unread = ast.Assign([node.target], node.value or ast.Constant(None))
        return node if node.value is None else ast.copy_location(unread, node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        if "Protocol" in map(ast.unparse, node.bases) or "Protocol[U]" in map(
            ast.unparse, node.bases
        ):
            node.body = [each for each in node.body if isinstance(each, ast.AnnAssign)]
        fields = {id(each) for each in node.body if isinstance(each, ast.AnnAssign)}
        node.body = [each if id(each) in fields else self.visit(each) for each in node.body]
        node.body = [each for each in node.body if each is not None]
        return node

    def visit_Module(self, node: ast.Module) -> ast.Module:
        methods = [each for part in self._classes(node) for each in part.body]
        for function in (*methods, *node.body):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                is_public = function in node.body and not function.name.startswith("_")
                if is_public and "Context" in ast.unparse(function.args):
                    continue
                function.returns = None
                for argument in ast.walk(function.args):
                    if isinstance(argument, ast.arg):
                        argument.annotation = None
        self.generic_visit(node)
        return node

    def _classes(self, node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef]:
        for each in node.body:
            if isinstance(each, ast.ClassDef):
                yield each
                yield from self._classes(each)


def meaning(source: str) -> list[str]:
    """Return each statement of *source* with the line it begins in, but for notes and ``pass``."""
    tree = WithoutNotes().visit(ast.parse(source))
    return [
        f"{node.lineno} {ast.dump(node)}" for node in ast.walk(tree) if isinstance(node, ast.stmt)
    ]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_means_the_same_when_it_is_thin(path: Path) -> None:
    source = path.read_text("utf-8")

    lean = minify_source(source)

    assert meaning(lean) == meaning(source)
    assert lean.count("\n") == source.count("\n")
    tokens = tokenize.generate_tokens(StringIO(lean).readline)
    assert [token.string for token in tokens if token.type == tokenize.COMMENT] == []


@pytest.mark.parametrize(
    ("source", "lean"),
    [
        ("", ""),
        ("# only\n", "\n"),
        ('"""Module."""\nx = 1\n', "\nx=1\n"),
        (
            '"""Module.\n\nMore."""\n\nfrom __future__ import annotations\n',
            "\n\n\n\nfrom __future__ import annotations\n",
        ),
        ("x = 1  # é\n", "x=1\n"),
        ("é = '#'  # é\n", "é='#'\n"),
        ('x = """a # b\n    # c  \n"""  # d\n', 'x="""a # b\n    # c  \n"""\n'),
        (  # one token before Python 3.12; since then, what stands in braces is code
            'x = f"""a{\n    y  \n}\n    b"""\n',
            'x=f"""a{\n    y  \n}\n    b"""\n'
            if sys.version_info < (3, 12)
            else 'x=f"""a{\n y  \n}\n    b"""\n',
        ),
        ('def f():\n    """Only\n    this."""\n', "def f():\n pass\n\n"),
        ('def f():\n    """This."""\n    return 1\n', "def f():\n\n return 1\n"),
        ('def f(): """This."""; return 1\n', 'def f(): """This."""; return 1\n'),
        ('def f(): """This."""\n', "def f():pass\n"),
        ('class A:\n    x: int\n    """Of x."""\n', "class A:\n x:int\n\n"),
        (
            'class D:\n    """Kept."""\n    x: int\n    """Of x."""\n',
            'class D:\n """Kept."""\n x:int\n\n',
        ),
        ('class D:\n    """Kept."""\n    """Not."""\n', 'class D:\n """Kept."""\n\n'),
        ('if x:\n    "a"\n    "b"\nelse:\n    "c"\n', "if x:\n pass\n\nelse:\n pass\n"),
        ('("in brackets")\nx = 1\n', "\nx=1\n"),
        ('def é(): "é"; x = "é"  # é\n', 'def é(): "é"; x = "é"  # é\n'),
        ("'a' 'b'\nx = 1\n", "\nx=1\n"),
        ("f'{x}'\n", "f'{x}'\n"),
        ("b'x'\n", "b'x'\n"),
        ("try:\n    x\nexcept E:\n    'why'\n", "try:\n x\nexcept E:\n pass\n"),
        ("x = [  # why\n    1,  # one\n]\n", "x=[\n1,\n]\n"),
        ("#!/usr/bin/python\n# -*- coding: utf-8 -*-\nx = 1\n", "\n\nx=1\n"),
        ("if x:\n  y\n", "if x:\n  y\n"),
        ("if x:\n        y = (1,\n             2)\n", "if x:\n  y=(1,\n2)\n"),
        # Annotations: of what may be a guard or a handler they stay.
        ("def f(x: int) -> int: ...\n", "def f(x):...\n"),
        ("def f(c: Context, x: int) -> int: ...\n", "def f(c:Context,x:int)->int:...\n"),
        ("def f(*, c: 'Context | None') -> A: ...\n", "def f(*,c:'Context | None')->A:...\n"),
        ("def _f(c: Context) -> int: ...\n", "def _f(c):...\n"),
        ("x: int = 1\ny: int\n", "x=1\ny:int\n"),
        ("def _f():\n    x.y: A[B] = é\n    z: C\n", "def _f():\n x.y=é\n z:C\n"),
        ("if x:\n    é: Final = 1\n", "if x:\n é=1\n"),
        ("class A:\n    x: int = 1\n", "class A:\n x:int=1\n"),
        ("class A:\n    if x:\n        y: int = 1\n", "class A:\n if x:\n  y:int=1\n"),
        (
            "class A:\n    if x:\n        def f(self):\n            x: int = 1\n",
            "class A:\n if x:\n  def f(self):\n   x=1\n",
        ),
        ("x: (A) = 1\ny: A[\n    B] = 2\n", "x:(A)=1\ny:A[\nB]=2\n"),
        ("def _f(é: int, /, y: A | B = 1) -> int: ...\n", "def _f(é,/,y=1):...\n"),
        ("async def _f(*x: int, y: 'int', **z: int): ...\n", "async def _f(*x,y,**z):...\n"),
        ("def _f(\n    x: A[  # why\n        B,\n    ],\n) -> C: x\n", "def _f(\nx\n\n,\n):x\n"),
        ("class A:\n    def f(self, x: int) -> int: ...\n", "class A:\n def f(self,x):...\n"),
        ("class A:\n    def f(self, c: Context): ...\n", "class A:\n def f(self,c):...\n"),
        (
            "class A:\n    class B:\n        x: int\n        def f(self) -> int: ...\n",
            "class A:\n class B:\n  x:int\n  def f(self):...\n",
        ),
        (
            "def _f(x: int):\n    def guard(y: int) -> int: ...\n    return guard\n",
            "def _f(x):\n def guard(y:int)->int:...\n return guard\n",
        ),
        ("x: int\ny: int = 1\n", "x:int\ny=1\n"),
        ("def _f() -> int: return 'x -> y'\n", "def _f():return 'x -> y'\n"),
        ("def _f() -> (A): ...\n", "def _f() -> (A): ...\n"),
        # Overloads.
        (
            "@overload\ndef f(x: int) -> int: ...\n@overload\ndef f(): ...  # why\ndef f(*x): x\n",
            "\n\n\n\ndef f(*x):x\n",
        ),
        (
            "class A:\n    @overload\n    async def f(\n        self, x: A\n    ) -> A:\n"
            '        """Why."""\n\n    async def f(self, x): ...\n',
            "class A:\n\n\n\n\n\n\n async def f(self,x):...\n",
        ),
        ("@other\ndef f(): ...\n", "@other\ndef f():...\n"),
        # What a Protocol asks for.
        (
            'class A(Protocol[T]):\n    """Why."""\n\n    async def f(self, x: A) -> A:\n'
            '        """Why."""\n        ...\n\n    def g(self): ...  # why\n',
            "class A(Protocol[T]):\n pass\n\n\n\n\n\n\n",
        ),
        (
            "class A(B, Protocol):\n    x: int\n    def f(self): ...\n    def g(self): ...; return 1\n"
            "    def h(self): x()\n",
            "class A(B,Protocol):\n x:int\n\n def g(self):...;return 1\n def h(self):x()\n",
        ),
        (
            "@runtime_checkable\nclass A(Protocol):\n    def f(self): ...\n",
            "@runtime_checkable\nclass A(Protocol):\n def f(self):...\n",
        ),
        ("class A(Protocols):\n    def f(self): ...\n", "class A(Protocols):\n def f(self):...\n"),
        # Blanks.
        ("x = 1 .real + 1. .real + x .y\n", "x=1 .real+1. .real+x .y\n"),
        ("x = 1 if y else 0x1 or z\n", "x=1 if y else 0x1 or z\n"),
        ("x = 'a' 'b' if 'c' in b'd' else r'e'\n", "x='a' 'b' if 'c' in b'd' else r'e'\n"),
        ("x = a - -b ** -c, * d\n", "x=a--b**-c,*d\n"),
        ("x = lambda * a, ** b: (yield)\n", "x=lambda*a,**b:(yield)\n"),
        ("x = a[1 : 2, ...], a [: :-1]\n", "x=a[1:2,...],a[::-1]\n"),
        ("x = [\n    a\n    for a in b\n    if a\n]\n", "x=[\na\nfor a in b\nif a\n]\n"),
        (
            "x = {\n    1: [\n        2,\n    ],\n}\nif x:\n    y = 1 , 2\n    z\n",
            "x={\n1:[\n2,\n],\n}\nif x:\n y=1,2\n z\n",
        ),
        ("x = 1 + \\\n    2\n", "x=1+ \\\n 2\n"),
        ("if x :\n    y = 1 ; z = 2\n", "if x:\n y=1;z=2\n"),
        ("x = f'{a = }' f'{b !r:> {c}}'\n", "x=f'{a = }' f'{b !r:> {c}}'\n"),
        (  # a token of its own since Python 3.12
            "if x :\n    y = f'{a}(' , f'[{b}'\n    z = 1\n",
            "if x:\n y=f'{a}(',f'[{b}'\n z=1\n",
        ),
        ("match x :\n    case [ 1, * a ] : pass\n", "match x:\n case[1,*a]:pass\n"),
        ("x = '''a\n    b''' , 1\n", "x='''a\n    b''',1\n"),
    ],
)
def test_what_is_blanked(source: str, lean: str) -> None:
    assert minify_source(source, {"D"}) == lean


@pytest.mark.parametrize(
    ("source", "lean"),
    [
        ("from typing import Any\nx=1\n", "\nx=1\n"),
        ("from typing import Any,cast\nx=cast(y)\n", "from typing import cast\nx=cast(y)\n"),
        ("from typing import (\nAny,\ncast,\n)\ncast\n", "from typing import cast\n\n\n\ncast\n"),
        ("from typing import Any as A,cast as Any\nA\n", "from typing import Any as A\nA\n"),
        ("from collections.abc import Callable\n", "\n"),
        (
            "from collections import abc\nimport typing\n",
            "from collections import abc\nimport typing\n",
        ),
        (
            "from .typing import Any\nfrom other import Any\n",
            "from .typing import Any\nfrom other import Any\n",
        ),
        ("from typing import Any\nx:Any\ny=1\n", "from typing import Any\nx:Any\ny=1\n"),
        ("from typing import Any\nx:'list[Any]'\n", "from typing import Any\nx:'list[Any]'\n"),
        ("from typing import Wanted,Any\n", "from typing import Wanted\n"),
        ("def f():\n from typing import Any\n", "def f():\n from typing import Any\n"),
        (
            "from typing import Any\ndef f():\n from typing import cast\n Any\n",
            "from typing import Any\ndef f():\n from typing import cast\n Any\n",
        ),
        ("from typing import TypeVar\nT=TypeVar('T')\n", "\n\n"),
        ("from typing import Any,TypeVar\nT=TypeVar('T',\nbound=Any)\nx=1\n", "\n\n\nx=1\n"),
        (
            "from typing import Any,TypeVar\nT=TypeVar('T')\nU=TypeVar('U',bound=Any)\nclass A(B[U]):pass\n",
            "from typing import Any,TypeVar\n\nU=TypeVar('U',bound=Any)\nclass A(B[U]):pass\n",
        ),
        (
            "from typing import TypeVar\nWanted=TypeVar('Wanted')\n",
            "from typing import TypeVar\nWanted=TypeVar('Wanted')\n",
        ),
        ("class A:\n T=TypeVar('T')\n", "class A:\n T=TypeVar('T')\n"),
        (
            "from typing import TypedDict\nclass A(TypedDict,total=False):\n x:int\ny=1\n",
            "\n\n\ny=1\n",
        ),
        (
            "from typing import TypedDict\nclass A(TypedDict):\n x:int\ndef f(a:A):...\n",
            "from typing import TypedDict\nclass A(TypedDict):\n x:int\ndef f(a:A):...\n",
        ),
        (
            "from typing import TypedDict\nclass Wanted(TypedDict):pass\nA(TypedDict)\n",
            "from typing import TypedDict\nclass Wanted(TypedDict):pass\nA(TypedDict)\n",
        ),
        ("from framework.a import A,B,Wanted\nA()\n", "from framework.a import A,Wanted\nA()\n"),
        ("from framework.a import A,B\nx=1\n", "from framework.a import A\nx=1\n"),
        ("from framework import A as C,B\nA()\n", "from framework import A as C\nA()\n"),
        (
            "from framework.a import A,B\nT=TypeVar('T',bound=A)\nU=TypeVar('U',bound=B)\nU\n",
            "from framework.a import B\n\nU=TypeVar('U',bound=B)\nU\n",
        ),
        ("from frameworks import A,B\n", "from frameworks import A,B\n"),
        # What shares its line with something else is left alone.
        ("from typing import Any;x=1\n", "from typing import Any;x=1\n"),
    ],
)
def test_what_annotations_alone_were_made_of_goes(source: str, lean: str) -> None:
    assert drop_unread(source, {"Wanted"}) == lean


@pytest.mark.parametrize(
    ("app", "lean"),
    [
        ("", "\n\ndef f(x):...\n"),
        (
            "from framework.one import T",
            "from typing import TypeVar\nT=TypeVar('T')\ndef f(x):...\n",
        ),
        ("framework.one.T", "from typing import TypeVar\nT=TypeVar('T')\ndef f(x):...\n"),
        (
            "from framework.one import *",
            "from typing import Any,TypeVar\nT=TypeVar('T')\ndef f(x):...\n",
        ),
        ("from typing import Any, T", "\n\ndef f(x):...\n"),
    ],
)
def test_what_other_modules_read_stays(tmp_path: Path, app: str, lean: str) -> None:
    one = "from typing import Any, TypeVar\nT = TypeVar('T')\ndef f(x: T) -> Any: ...\n"

    staged(tmp_path, f"import framework.one\n{app}", one=one)

    assert (tmp_path / "framework/one.py").read_text() == lean


@pytest.mark.parametrize(
    ("app", "lean"),
    [
        ("import framework.one", "from framework.two import A\n"),
        ("from framework.one import B", "from framework.two import B\n"),
        ("from framework.one import B as C, A", "from framework.two import A,B\n"),
        ("import framework.one as one\none.B", "from framework.two import B\n"),
        ("import framework.one\nfrom framework.two import B", "from framework.two import A\n"),
        ("import framework.one\nfrom . import B", "from framework.two import B\n"),
        ("import framework.one\nfrom .one import B", "from framework.two import B\n"),
        ("import framework.one\nx: 'list[framework.one.B]'", "from framework.two import B\n"),
        ("getattr(load('framework.one'), 'B')", "from framework.two import B\n"),
    ],
)
def test_what_is_imported_from_a_module_stays_if_it_is_read_there(
    tmp_path: Path, app: str, lean: str
) -> None:
    staged(tmp_path, app, one="from framework.two import A, B\n", two="A = B = 1\n")

    assert (tmp_path / "framework/one.py").read_text() == lean


def test_what_is_imported_from_a_package_stays_if_it_is_read_there(tmp_path: Path) -> None:
    package = "from framework.two import A, B\n"

    staged(tmp_path, "from framework import B", __init__=package, two="A = B = 1\n")

    assert (tmp_path / "framework/__init__.py").read_text() == "from framework.two import B\n"


# --- What is imported ----------------------------------------------------------------------------

FRAMEWORK = (
    "__init__", "auth.__init__", "auth.store", "lonely.__init__", "lonely.one", "one", "three", "two"
)  # fmt: skip


def staged(folder: Path, app: str, **modules: str) -> set[str]:
    """Return what stays of the framework where *app* is the app and *modules* differ from empty."""
    for name in FRAMEWORK:
        file = folder / "framework" / f"{name.replace('.', '/')}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(modules.get(name.replace(".", "_"), ""))
    (folder / "routes").mkdir()
    (folder / "routes" / "notes.py").write_text(modules.get("notes", ""))
    (folder / "app.py").write_text(app)
    drop_unused_modules(folder)
    minify(folder)
    files = (folder / "framework").rglob("*.py")
    return {
        ".".join(file.relative_to(folder / "framework").with_suffix("").parts) for file in files
    }


@pytest.mark.parametrize(
    ("app", "modules", "kept"),
    [
        ("", {}, set()),
        ("import framework", {}, {"__init__"}),
        ("import framework.one as o", {}, {"__init__", "one"}),
        ("from framework import one, two", {}, {"__init__", "one", "two"}),
        ("from framework.auth.store import Store", {}, {"__init__", "auth.__init__", "auth.store"}),
        ("from framework.auth import store", {}, {"__init__", "auth.__init__", "auth.store"}),
        ("from framework.auth import Auth", {}, {"__init__", "auth.__init__"}),
        ("def f():\n    from framework import one", {}, {"__init__", "one"}),
        ("import framework", {"__init__": "from framework.one import x"}, {"__init__", "one"}),
        ("import framework", {"__init__": "from .one import x"}, {"__init__", "one"}),
        (
            "import framework.auth.store",
            {"auth_store": "from ..two import x\nfrom . import y"},
            {"__init__", "auth.__init__", "auth.store", "two"},
        ),
        (
            "import framework.one",
            {"one": "def f():\n    import framework.two", "two": "import framework.one"},
            {"__init__", "one", "two"},
        ),
        ("load('framework.three')", {}, {"__init__", "three"}),
        ("", {"notes": "import framework.three"}, {"__init__", "three"}),
        ("# import framework.one", {}, set()),
    ],
)
def test_what_is_never_imported_goes(
    tmp_path: Path, app: str, modules: dict[str, str], kept: set[str]
) -> None:
    assert staged(tmp_path, app, **modules) == kept
    assert not (tmp_path / "framework" / "lonely").exists()


@pytest.mark.parametrize(
    ("app", "kept"),
    [
        ("import framework.workers", {"__init__", "workers.__init__"}),
        ("import framework.two, framework.workers", {"__init__", "two", "workers.two"}),
        ("import framework.workers, framework.two", {"__init__", "two", "workers.two"}),
        ("import framework.three, framework.workers", {"__init__", "three"}),
    ],
)
def test_the_workers_half_of_a_module_comes_with_it(
    tmp_path: Path, app: str, kept: set[str]
) -> None:
    folder = tmp_path / "framework" / "workers"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "load('framework.workers.two')\nimport framework.workers.own"
    )
    (folder / "two.py").write_text("import framework.two")
    (folder / "own.py").touch()

    assert staged(tmp_path, app) == kept | {"__init__", "workers.__init__", "workers.own"}


EXPORTING = "__all__ = [\n    'a',  # why\n]\na = 1\n"


@pytest.mark.parametrize(
    ("app", "lean"),
    [
        ("", "\n\n\na=1\n"),
        ("__all__ = ['app']", "\n\n\na=1\n"),
        ("from framework.one import *", "__all__=[\n'a',\n]\na=1\n"),
        ("from framework.one import __all__", "__all__=[\n'a',\n]\na=1\n"),
        ("framework.one.__all__", "__all__=[\n'a',\n]\na=1\n"),
        ("getattr(framework.one, '__all__')", "__all__=[\n'a',\n]\na=1\n"),
        ("__all__ = []\n__all__ += ['app']", "__all__=[\n'a',\n]\na=1\n"),
    ],
)
def test_exports_stay_where_somebody_reads_some(tmp_path: Path, app: str, lean: str) -> None:
    staged(tmp_path, f"import framework.one\n{app}", one=EXPORTING)

    assert (tmp_path / "framework/one.py").read_text() == lean


@pytest.mark.parametrize(
    "broken",
    [b"def (  # why\n", b"\n\n# \xff\n", b"x = 1  # why\n\0"],
    ids=["syntax", "bytes", "NUL"],
)
def test_what_is_no_python_stays_to_be_complained_of(tmp_path: Path, broken: bytes) -> None:
    staged(tmp_path, "import framework.one")
    one = tmp_path / "framework" / "one.py"

    for module in (one, tmp_path / "app.py"):
        module.write_bytes(broken)
        assert one.exists()
        drop_unused_modules(tmp_path)
        minify(tmp_path)
        assert module.read_bytes() == broken

    assert not one.exists()  # nobody says any more that it is imported


def test_the_app_itself_is_not_touched(tmp_path: Path) -> None:
    app = '"""The app."""  # as it is\n'

    staged(tmp_path, app, notes=app)

    assert (tmp_path / "app.py").read_text() == (tmp_path / "routes/notes.py").read_text() == app


@pytest.mark.parametrize(
    "base",
    [
        "msgspec.Struct, Generic[T]",
        *["TypedDict", "NamedTuple", "a.enum.Enum", "IntEnum", "StrEnum"],
    ],
)
def test_a_schema_keeps_its_description(tmp_path: Path, base: str) -> None:
    base = f'class Base({base}): """Kept."""\n'
    other = 'class Shape(one.Base[int]): """Kept."""\nclass Other(X): """Not."""\n'

    app = "import framework.one, framework.two\nshapes: list[Base | framework.two.Shape | Other]"
    staged(tmp_path, app, one=base, two=other)

    assert '"""Kept."""' in (tmp_path / "framework/one.py").read_text()
    lean = (tmp_path / "framework/two.py").read_text()
    assert lean == 'class Shape(one.Base[int]):"""Kept."""\nclass Other(X):pass\n'


def test_what_is_a_modules_own_is_no_part_of_a_schema(tmp_path: Path) -> None:
    own = 'class _Row(Struct): """Not."""\nclass Shape(_Row): """Kept."""\n'

    staged(tmp_path, "from framework.one import Shape, _Row", one=own)

    lean = (tmp_path / "framework/one.py").read_text()
    assert lean == 'class _Row(Struct):pass\nclass Shape(_Row):"""Kept."""\n'


PARTS = """
class Shape(Struct):
    \"""Kept.\"""
    sides: "dict[str, Side] | None"
    x: Unknown = Other

class Side(Struct):
    \"""Kept.\"""
    ends: tuple[End, ...]

class End(Struct):
    \"""Kept.\"""

class Other(Struct):
    \"""Not.\"""
    shape: Shape
"""


@pytest.mark.parametrize(
    "app",
    ["from framework.one import Shape as S", "import framework.one as o\no.Shape", "x = 'Shape'"],
)
def test_what_the_app_names_may_be_part_of_a_schema_and_what_that_is_made_of(
    tmp_path: Path, app: str
) -> None:
    staged(tmp_path, f"import framework.one\n{app}", one=PARTS)

    lean = (tmp_path / "framework/one.py").read_text()
    assert (lean.count("Kept."), lean.count("Not.")) == (3, 0)


HANDED = """
class Context(Struct):
    \"""Not.\"""
    request: Request

class Request(Struct):
    \"""Not.\"""
    path: Shape

class Parameter(NamedTuple):
    \"""Not.\"""

class Shape(Struct):
    \"""Not.\"""
"""


def test_what_a_handler_is_handed_is_part_of_no_schema(tmp_path: Path) -> None:
    staged(tmp_path, "from framework.one import Context, Parameter", one=HANDED)

    assert "Not." not in (tmp_path / "framework/one.py").read_text()


def test_what_the_framework_documents_may_be_part_of_a_schema(tmp_path: Path) -> None:
    (tmp_path / "framework").mkdir()
    (tmp_path / "framework/openapi_parts.py").write_text("from framework.one import Shape")

    staged(tmp_path, "import framework.openapi_parts", one=PARTS)

    lean = (tmp_path / "framework/one.py").read_text()
    assert (lean.count("Kept."), lean.count("Not.")) == (3, 0)


DESCRIBED = """
from framework import App, public
from framework.auth import Validated
from framework.openapi import describe
from framework.problem import InvalidField as Misfit

app = App()

@app.get("/me", guard=public)
async def me() -> Validated: ...

@app.post("/misfits", guard=public)
async def tell(misfit: Misfit) -> None: ...
"""


def test_a_lean_app_is_described_as_its_source_is(tmp_path: Path) -> None:
    def document() -> dict[str, Any]:
        code = "import app, json; print(json.dumps(app.describe(app.app, title='', version='')))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True
        )
        described: dict[str, Any] = json.loads(done.stdout)
        return described

    shutil.copytree(ROOT / "framework", tmp_path / "framework")
    (tmp_path / "app.py").write_text(DESCRIBED)
    before = document()

    drop_unused_modules(tmp_path)
    minify(tmp_path)

    assert "What a function declares" not in (tmp_path / "framework/plan.py").read_text()
    assert document() == before
    schemas = before["components"]["schemas"]
    texts = {
        name: schema.get("description", "").partition(".")[0] for name, schema in schemas.items()
    }
    assert texts["Problem"].startswith("What went wrong")
    assert texts["Session"] == "One signed-in browser"
    assert texts["User"] == "Somebody with an account"
