"""Which layer may import which, and which modules an import loads."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.util import resolve_name
from pathlib import Path

import pytest

from olm.kinds import KINDS

ROOT = Path(__file__).resolve().parent.parent
OLM = ROOT / "olm"

ROOMS = {
    "problem": "",
    "text": "problem",
    "fields": "problem text",
    "schedule": "fields drawing",
    "kinds": "schedule",
    "spec": "kinds",
    "foreign": "spec",
    "schema": "spec",
    "drawing": "fields",
    "checking": "foreign",
    "train": "foreign",
    "cli": "checking drawing schema train",
}
"""What each package in `olm/` may import, besides what those may import."""

TOP_LEVEL = {"LICENSE", "README.md", "olm", "pyproject.toml", "schemas", "specs", "tests", "tools"}


def imported(node: ast.AST, package: str) -> Iterator[str]:
    """The full names of imports at run time, including those inside functions."""
    below = ast.iter_child_nodes(node)
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            below = iter(node.orelse)
        case ast.Import():
            yield from (alias.name for alias in node.names)
        case ast.ImportFrom():
            start = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{start}.{alias.name}" for alias in node.names)
    for child in below:
        yield from imported(child, package)


def imports_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every Python file in a folder, with each name that it imports."""
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(ROOT)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield from ((path, name) for name in imported(tree, ".".join(path.parent.parts)))


def allowed(room: str) -> set[str]:
    """The layers that a layer may import: itself and those below it."""
    return {room}.union(*(allowed(below) for below in ROOMS[room].split()))


def known_to(path: Path) -> set[str]:
    """The layers that a file may import; `olm/__init__.py` has no layer."""
    return allowed(Path(path.parts[1]).stem)


def test_imports_are_found_in_functions_but_not_where_only_types_are_checked():
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import torch
else:
    from . import kinds
def later():
    if True:
        from ..train import build as make, other
    import numpy.linalg as linalg
"""
    names = ["typing.TYPE_CHECKING", "olm.cli.kinds", "olm.train.build", "olm.train.other"]
    assert list(imported(ast.parse(source), "olm.cli")) == [*names, "numpy.linalg"]


def test_a_layer_may_import_only_the_layers_below_it():
    assert allowed("problem") == {"problem"}
    assert allowed("schedule") == {"schedule", "drawing", "fields", "text", "problem"}
    assert not {"schema", "cli", "train"} & allowed("checking")
    assert "train" not in allowed("schema") | allowed("drawing")


def test_every_layer_is_in_the_list():
    names = {path.stem for path in OLM.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert {name for name in names if not name.startswith("__")} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_layer_imports_only_the_layers_below_it(room):
    files = ((path, name) for path, name in imports_of(OLM) if Path(path.parts[1]).stem == room)
    names = [(path, name.split(".")) for path, name in files]
    others = [
        (str(path), ".".join(parts))
        for path, parts in names
        if parts[0] == "olm" and "".join(parts[1:2]) not in known_to(path)
    ]
    assert others == []


def texts_of(path: Path) -> Iterator[str]:
    """The strings in a file, without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("room", ["checking", "drawing", "schedule", "schema", "spec"])
def test_code_asks_a_schedule_what_it_does_and_never_compares_its_kind(room):
    # Those of plugins are there when other tests have imported them.
    kinds = re.compile(rf"\b(?:{'|'.join(kind for kind in KINDS if '.' not in kind)})\b")
    # The table of the files of kinds is generated.
    files = [path for path in (OLM / room).rglob("*.py") if path.name != "families.py"]
    named = [(path.name, text) for path in files for text in texts_of(path) if kinds.search(text)]
    assert named == []


def test_only_the_layer_of_torch_imports_torch():
    users = {path.parts[1] for path, name in imports_of(OLM) if name.split(".")[0] == "torch"}
    assert users == {"train"}


def test_nothing_imports_the_tools():
    tools = {"tools", *(path.stem for path in (ROOT / "tools").iterdir())}
    tools -= {path.stem for path in (ROOT / "tests").iterdir()}
    files = [*imports_of(OLM), *imports_of(ROOT / "tests")]
    assert [(str(path), name) for path, name in files if name.split(".")[0] in tools] == []


def test_importing_anything_but_train_loads_neither_torch_nor_numpy():
    program = """
import sys
from importlib import import_module
for name in sys.argv[1:]:
    import_module(name)
    heavy = {"torch", "numpy", "matplotlib", "jsonschema"} & set(sys.modules)
    if heavy: sys.exit(f"importing {name} loads {', '.join(sorted(heavy))}")
"""
    names = ["olm", "olm.kinds", *(f"olm.{room}" for room in ROOMS if room != "train")]
    command = [sys.executable, "-c", program, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_top_level_has_only_the_agreed_names():
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split()]
    names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    strays = {name for name in names if not any(fnmatch(name, pattern) for pattern in ignored)}
    # setuptools adds these to an sdist.
    added = {"PKG-INFO", "setup.cfg"} if "PKG-INFO" in names else set()
    assert strays - TOP_LEVEL - added == set()
