"""`tools/reliability.py`: every row of the table has its test, and what is missing is told."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOOL = ROOT / "tools" / "reliability.py"


@pytest.fixture
def tool(monkeypatch):
    """The tool as a module."""
    spec = importlib.util.spec_from_file_location("tools_reliability", TOOL)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def test_it_prints_every_row_with_its_tests(tool):
    done = subprocess.run([sys.executable, str(TOOL)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    *lines, last = done.stdout.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [*tool.ROWS]
    assert last.startswith(f"{len(tool.ROWS)} rows, ")
    assert all(len(line) <= 160 for line in lines)


def test_every_test_of_the_folder_is_of_a_row(tool):
    tests = [
        f"{path.relative_to(ROOT).as_posix()}::{function.name}"
        for path in (ROOT / "tests" / "reliability").glob("test_*.py")
        for function in tool.functions(path)
    ]
    assert {*tests} <= {proof.test for proof in tool.marked()}


def test_what_is_missing_or_does_not_exist_is_told(tool):
    there = "tests/test_reliability.py::test_it_prints_every_row_with_its_tests"
    proofs = [tool.Proof(row, "It fails.", there) for row in tool.ROWS]
    assert [*tool.mistakes_of(proofs)] == []
    assert [*tool.mistakes_of(proofs[1:])] == ["row 1a has no test"]
    odd = [
        tool.Proof("1a", "It fails.", f"{there}_twice"),
        tool.Proof("1a", "It fails.", "tests/test_none.py::test_it"),
        tool.Proof("99", "It fails.", there),
        tool.Proof("1a", "", there),
    ]
    assert [*tool.mistakes_of([*proofs, *odd])] == [
        f"row 1a: there is no {there}_twice",
        "row 1a: there is no tests/test_none.py::test_it",
        f"{there}: there is no row 99",
        f"{there}: its docstring must say what goes wrong elsewhere",
    ]
