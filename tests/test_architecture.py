"""Which room may know which, read from the imports; and what an import costs."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.util import resolve_name
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OLM = ROOT / "olm"

LADDERS = [
    "problem durations measures words wording fields rules rates timeline schedule kinds spec cli",
    "measures vocabulary words",
    "problem fields timeline schedule spec document lint checks cli",
    "problem words wording fields rules rates schedule kinds spec documentation cli",
    "problem scalars fields rules schedule kinds spec documentation snippets schema",
    "problem words wording fields rules rates timeline schedule kinds memory spec train",
    "problem durations wording fields rules runs clock schedule spec train",
    "problem durations wording fields clock timeline steps resolution schedule spec",
    "problem durations wording steps resolution expectation schedule digest roots spec",
    "clock roots",
    "fields digest train",
    "clock expectation spec schema",
    "resolution expectation",
    "resolution cli",
    "durations clock checks cli",
    "durations schema",
    "curves rates schedule kinds train",
    "curves rates schedule kinds cli",
    "problem plain spec schema",
    "problem wording fields expectation spec schema",
    "expectation checks cli",
    "reproduced cli",
    "problem families plugins catalogue schedule kinds train",
    "plugins catalogue schedule snippets schema cli",
    "plugins checks",
    "pages cli",
    "problem durations fields rates schedule kinds memory spec differences partings cli",
    "problem rates schedule kinds spec factors",
    "writing train",
    "writing cli",
    "problem text places document checks fixes cli",
    "problem document checks against cli",
    "problem text scalars places document lint checks cli",
    "problem text scalars syntax findings disputed places events inside toml document cli",
]
"""In each, a room may import those to the left of it. A room is a file or folder in `olm/`."""

ROOMS = sorted({path.stem for path in OLM.iterdir() if path.is_dir() or path.suffix == ".py"})
ROOMS = [room for room in ROOMS if not room.startswith("__")]

TOP_LEVEL = {"LICENSE", "README.md", "olm", "pyproject.toml", "schemas", "specs", "tests", "tools"}


def imported(node: ast.AST, package: str) -> Iterator[str]:
    """The full names of what is imported when the code runs, inside functions too."""
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
    """Every Python file below a folder, with each name that it imports."""
    for file in sorted(folder.rglob("*.py")):
        path = file.relative_to(ROOT)
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield from ((path, name) for name in imported(tree, ".".join(path.parent.parts)))


def allowed(room: str) -> set[str]:
    """The rooms that a room may import: itself and those to its left."""
    ladders = [ladder.split() for ladder in LADDERS]
    return {room}.union(*(names[: names.index(room)] for names in ladders if room in names))


def known_to(path: Path) -> set[str]:
    """The rooms that a file may import; the face of the package has no name."""
    known = allowed(Path(path.parts[1]).stem)
    if path.parts[1:3] == ("train", "hosts"):
        # They stand where users do.
        return known | {""}
    # The one command that reads what torch has written.
    return known | {"train"} if path.parts[1:] == ("cli", "state.py") else known


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


def test_a_room_may_import_what_is_to_its_left_and_nothing_else():
    assert allowed("findings") == {"findings", "syntax", "scalars", "text", "problem"}
    assert allowed("problem") == {"problem"}
    assert allowed("curves") == {"curves"}
    assert not {"document", "cli"} & allowed("train")
    assert "train" not in allowed("document") | allowed("cli")


def test_every_room_has_its_floor():
    assert set(ROOMS) == set(" ".join(LADDERS).split())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_knows_only_the_rooms_below_it(room):
    files = ((path, name) for path, name in imports_of(OLM) if Path(path.parts[1]).stem == room)
    names = [(path, name.split(".")) for path, name in files]
    others = [
        (str(path), ".".join(parts))
        for path, parts in names
        if parts[0] == "olm" and "".join(parts[1:2]) not in known_to(path)
    ]
    assert others == []


def test_only_the_rooms_of_torch_import_torch():
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
    assert strays - TOP_LEVEL == set()
